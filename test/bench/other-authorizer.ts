import { mintTestToken, publicJwks } from "../support/jwt.ts";
import { ask } from "./ask.ts";
import { checkRequestEncoder, METADATA, requireJwtPolicies } from "./check-requests.ts";
import { type DirectLoad, directTarget } from "./direct-target.ts";
import { basicPolicies } from "./policies.ts";
import { type ResultGroup, toResults } from "./results.ts";
import { type Effort, loadRow, measureRows, type Row, warmUp } from "./row.ts";
import { Running } from "./running.ts";
import { LOAD_CORE, pin, SERVER_CORE, startServerProcess } from "./server-process.ts";
import { startAuthzProcess } from "./start-authz-process.ts";

/** Somebody else's ext_authz server. */
export interface OtherAuthorizer {
  /** `host:port` */
  readonly address: string;
  /** Its process, if it runs here. */
  readonly pid: number | null;
}

/** Measures another authorizer beside Gatehouse and the constant answer. @throws when it does not decide as it should */
export async function benchOther(
  { address, pid }: OtherAuthorizer,
  effort: Effort,
  log: (line: string) => void,
): Promise<ResultGroup> {
  pin(process.pid, LOAD_CORE);
  const encode = checkRequestEncoder();
  const token = await mintTestToken({ groups: ["group2", "staff"], jti: "seen" });
  const messages = { seen: encode(token), none: encode("") };
  log(`Policy of the bench:\n${requireJwtPolicies(publicJwks())}`);
  log(`gRPC metadata: ${JSON.stringify(METADATA)}\ntoken: ${token}\n`);
  await expectDecisions(address, messages);
  const running = new Running();
  try {
    const constant = await running.add(startServerProcess("constant-server.ts", SERVER_CORE));
    const gatehouse = await running.add(startAuthzProcess(basicPolicies()));
    const [host = "", port = ""] = address.split(/:(?=\d+$)/);
    const rows: Row[] = [];
    const add = (id: string, name: string, server: Omit<DirectLoad, "metadata" | "messages">): void => {
      for (const [kind, message] of Object.entries(messages)) {
        const by = id === "constant" ? {} : ({ beside: { id: `constant-${kind}`, by: "clock" } } as const);
        const title = {
          id: `${id}-${kind}`,
          name: `${name}, ${kind === "seen" ? "token seen before" : "no token"}`,
          ...by,
        };
        rows.push(loadRow(title, directTarget({ ...server, metadata: METADATA, messages: [message] }), effort));
      }
    };
    add("constant", "grpc-js, constant answer", constant);
    add("gatehouse", "Gatehouse", gatehouse);
    add("other", address, { host, port: Number(port), isForeign: true, ...(pid === null ? {} : { pid }) });
    for (const server of [constant, gatehouse]) {
      await warmUp(directTarget({ ...server, metadata: METADATA, messages: [messages.seen] }), effort);
    }
    await measureRows(rows, effort, log);
    return toResults("Asked directly", rows, "full");
  } finally {
    await running.stop();
  }
}

async function expectDecisions(
  address: string,
  { seen, none }: { readonly seen: Uint8Array; readonly none: Uint8Array },
): Promise<void> {
  const [allowed, denied] = await Promise.all([seen, none].map((message) => ask(address, METADATA, message)));
  if (allowed?.status === 200 && denied?.status !== 200) return;
  throw new Error(
    `${address} answers ${allowed?.status} to the token and ${denied?.status} to a request without one; it should let only the first pass`,
  );
}
