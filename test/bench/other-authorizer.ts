import { mintTestToken, publicJwks } from "../support/jwt.ts";
import { ask } from "./ask.ts";
import { checkRequestEncoder, METADATA, requireJwtPolicies } from "./check-requests.ts";
import { type DirectLoad, directTarget } from "./direct-target.ts";
import { basicPolicies } from "./policies.ts";
import { type ResultGroup, toResults } from "./results.ts";
import { type Effort, loadRow, measureRows, warmUp } from "./row.ts";
import { Running } from "./running.ts";
import type { Target } from "./sample.ts";
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
    const other = { host, port: Number(port), isForeign: true, ...(pid === null ? {} : { pid }) };
    const contestants: readonly Contestant[] = [
      { id: "constant", name: "grpc-js, constant answer", server: constant },
      { id: "gatehouse", name: "Gatehouse", server: gatehouse },
      { id: "other", name: address, server: other },
    ];
    const target = ({ server }: Contestant, message: Uint8Array): Target =>
      directTarget({ ...server, metadata: METADATA, messages: [message] });
    for (const contestant of contestants) await warmUp(target(contestant, messages.seen), effort);
    const rows = contestants.flatMap((contestant) =>
      Object.entries(messages).map(([kind, message]) => {
        const { id, name } = contestant;
        const beside = id === "constant" ? {} : ({ beside: { id: `constant-${kind}`, by: "clock" } } as const);
        const title = { id: `${id}-${kind}`, name: `${name}, ${kind === "seen" ? "token seen before" : "no token"}` };
        return loadRow({ ...title, ...beside }, target(contestant, message), effort);
      }),
    );
    await measureRows(rows, effort, log);
    return toResults("Asked directly", rows, "full");
  } finally {
    await running.stop();
  }
}

interface Contestant {
  readonly id: string;
  readonly name: string;
  readonly server: Omit<DirectLoad, "metadata" | "messages">;
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
