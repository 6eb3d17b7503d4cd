import type { Policies } from "../support/check-harness.ts";
import { mintTestToken } from "../support/jwt.ts";
import { ask } from "./ask.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { directTarget } from "./direct-target.ts";
import { freshRows } from "./fresh-rows.ts";
import { basicPolicies, GATEWAY_METADATA, issuerPolicies } from "./policies.ts";
import { type Effort, loadRow, type Row, type RowTitle, warmUp } from "./row.ts";
import type { Running } from "./running.ts";
import { SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";
import { type AuthzProcessOptions, startAuthzProcess } from "./start-authz-process.ts";

/** What a core can do without an Envoy: the kinds of tokens and answers. */
export async function startDirectRows(effort: Effort, running: Running): Promise<readonly Row[]> {
  const authz = (policies: Policies, options?: AuthzProcessOptions): Promise<ServerProcess> =>
    running.add(startAuthzProcess(policies, options));
  const constant = await running.add(startServerProcess("constant-server.ts", SERVER_CORE));
  const verifier = await running.add(startServerProcess("verify-process.ts", SERVER_CORE));
  const lean = await authz(basicPolicies());
  const grpcJs = await authz(basicPolicies(), { transport: "grpc-js" });
  const twoWorkers = await authz(basicPolicies(), { workers: 2 });
  const fresh = await authz(basicPolicies());
  const oneIssuer = await authz(issuerPolicies(1));
  const manyIssuers = await authz(issuerPolicies(100));
  const requests = await createRequests();
  await expectAnswers(lean, requests);
  await expectAnswers(grpcJs, requests);
  await expectAnswers(twoWorkers, requests);
  for (const server of [constant, lean, grpcJs, twoWorkers, fresh, oneIssuer, manyIssuers]) {
    await warmUp(directTarget({ ...server, metadata: METADATA, messages: [requests.seen.message] }), effort);
  }
  const row = (title: RowTitle, server: ServerProcess, { message, metadata }: Request) =>
    loadRow(title, directTarget({ ...server, metadata, messages: [message] }), effort);
  const beside = { id: "constant", by: "clock" } as const;
  return [
    row({ id: "constant", name: "grpc-js, constant answer, decodes nothing" }, constant, requests.seen),
    row({ id: "seen", name: "Gatehouse, token seen before", beside }, lean, requests.seen),
    row({ id: "seen-grpc-js", name: "the same by `--transport grpc-js`", beside }, grpcJs, requests.seen),
    row(
      { id: "seen-workers", name: "the same by `--workers 2`, on this one core", beside: { id: "seen", by: "cost" } },
      twoWorkers,
      requests.seen,
    ),
    row({ id: "no-token", name: "Gatehouse, no token, allowed", beside }, lean, requests.none),
    row({ id: "denied", name: "Gatehouse, no token, denied", beside }, lean, requests.denied),
    row({ id: "routed", name: "Gatehouse, route by claim at a gateway", beside }, lean, requests.routed),
    ...freshRows(fresh, verifier, effort),
    row({ id: "issuers-1", name: "Gatehouse, 1 issuer" }, oneIssuer, requests.seen),
    row(
      { id: "issuers-100", name: "Gatehouse, 100 issuers", beside: { id: "issuers-1", by: "cost" } },
      manyIssuers,
      requests.seen,
    ),
  ];
}

/** A CheckRequest, and from whom. */
interface Request {
  readonly message: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  /** HTTP status that it is to be answered with. */
  readonly status: number;
}

interface Requests {
  readonly seen: Request;
  readonly none: Request;
  readonly denied: Request;
  readonly routed: Request;
}

/** The requests of these rows. */
async function createRequests(): Promise<Requests> {
  const encode = checkRequestEncoder();
  const token = await mintTestToken({ groups: ["group2", "staff"], jti: "seen" });
  return {
    seen: { message: encode(token), metadata: METADATA, status: 200 },
    none: { message: encode("", "/public/index.html"), metadata: METADATA, status: 200 },
    denied: { message: encode(""), metadata: METADATA, status: 403 },
    routed: { message: encode(token), metadata: GATEWAY_METADATA, status: 200 },
  };
}

async function expectAnswers(server: ServerProcess, requests: Requests): Promise<void> {
  for (const [name, { message, metadata, status }] of Object.entries(requests)) {
    const answer = await ask(`127.0.0.1:${server.port}`, metadata, message);
    if (answer.status !== status) throw new Error(`${name}: answered ${answer.status} instead of ${status}`);
    const isRouted = answer.set.includes("x-gatehouse-cluster");
    if (isRouted !== (name === "routed")) throw new Error(`${name}: sets ${answer.set.join(", ")}`);
  }
}
