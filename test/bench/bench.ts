import { loadExtAuthz } from "@gatehouse/protos/wire";
import { credentials, Metadata } from "@grpc/grpc-js";
import type { EnvoyProcess } from "../support/envoy.ts";
import { mintTestToken } from "../support/jwt.ts";
import { checkRequestEncoder, METADATA, requestHeaders } from "./check-requests.ts";
import { startEnvoyWithExtAuthz, startEnvoyWithOwnFilters } from "./envoy-targets.ts";
import { runGrpcLoad } from "./grpc-load.ts";
import { runHttpLoad } from "./http-load.ts";
import type { LoadResult } from "./load-result.ts";
import { cpuMicroseconds, pin, type ServerProcess, startServerProcess } from "./server-process.ts";
import { type Row, type Sample, toTable } from "./table.ts";

/** How much is measured. */
export interface BenchOptions {
  /** Every row is measured once a round; the table shows medians. */
  readonly rounds: number;
  /** Checks of one measurement. Fresh tokens: a tenth of it, because each has to be signed first. */
  readonly calls: number;
  readonly log: (line: string) => void;
}

/**
 * Measures one check by the policy of Istio's first JWT document. Servers have core 0 for themselves, this process makes
 * the load on core 1. Rows take turns within a round, so that a noisy neighbour hits all of them alike.
 * @returns a table in Markdown
 */
export async function runBench(options: BenchOptions): Promise<string> {
  const isPinned = pin(process.pid, LOAD_CORE);
  options.log("signing tokens ...");
  const freshCalls = Math.ceil(options.calls / 10);
  const requests = await mintRequests(2 * freshCalls);
  const running: { stop(): Promise<void> }[] = [];
  try {
    const constant = await startServerProcess("constant-server.ts", SERVER_CORE);
    const gatehouse = await startServerProcess("gatehouse-server.ts", SERVER_CORE);
    running.push(constant, gatehouse);
    await expectAnswers(gatehouse, requests);
    const ownFilters = pinned(await startEnvoyWithOwnFilters());
    const extAuthz = pinned(await startEnvoyWithExtAuthz(gatehouse.port));
    running.push(ownFilters, extAuthz);
    for (const envoy of [ownFilters, extAuthz]) await expectRefusal(envoy);
    const rows: readonly Row[] = [
      row("grpc-js, constant answer", () => measureGrpc(constant, [requests.seen], options.calls)),
      row("Gatehouse, token seen before", () => measureGrpc(gatehouse, [requests.seen], options.calls)),
      ...FRESH_ALGORITHMS.map((alg) =>
        row(`Gatehouse, fresh tokens (${alg})`, () => measureFresh(requests.seen, requests.fresh[alg], options.calls)),
      ),
      row("Envoy, own jwt_authn + rbac", () => measureHttp(ownFilters, [], requests.token, options.calls)),
      row("Envoy + Gatehouse by ext_authz", () => measureHttp(extAuthz, [gatehouse], requests.token, options.calls)),
    ];
    for (const { measure } of rows) await measure(); // warms up
    for (let round = 1; round <= options.rounds; round++) {
      options.log(`round ${round} of ${options.rounds} ...`);
      for (const { samples, measure } of rows) samples.push(await measure());
    }
    return toTable(rows, { isPinned, ...options });
  } finally {
    for (const part of running) await part.stop();
  }
}

const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** The commonest, the commonest on elliptic curves, and the newest. */
const FRESH_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
type FreshAlgorithm = (typeof FRESH_ALGORITHMS)[number];

interface BenchRequests {
  readonly token: string;
  readonly seen: Uint8Array;
  readonly without: Uint8Array;
  /** Each with a token of its own. */
  readonly fresh: Readonly<Record<FreshAlgorithm, readonly Uint8Array[]>>;
}

async function mintRequests(freshTokens: number): Promise<BenchRequests> {
  const encode = checkRequestEncoder();
  const token = await mintTestToken({ jti: "seen" });
  const mint = async (alg: FreshAlgorithm): Promise<readonly Uint8Array[]> => {
    const serials = Array.from({ length: freshTokens }, (_, n) => n.toString().padStart(8, "0"));
    const tokens = await Promise.all(serials.map((serial) => mintTestToken({ jti: `fresh-${serial}` }, { alg })));
    return tokens.map(encode);
  };
  const fresh = { RS256: await mint("RS256"), ES256: await mint("ES256"), EdDSA: await mint("EdDSA") };
  return { token, seen: encode(token), without: encode(""), fresh };
}

/** Fast wrong answers must not win: a real client asks before the load does. */
async function expectAnswers(server: ServerProcess, requests: BenchRequests): Promise<void> {
  const client = new (loadExtAuthz())(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(METADATA)) metadata.set(name, value);
  const ask = (request: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        "/envoy.service.auth.v3.Authorization/Check",
        Buffer.from,
        loadExtAuthz().service.Check.responseDeserialize,
        request,
        metadata,
        (error, answer) => (error ? reject(error) : resolve(answer?.status?.code ?? -1)),
      );
    });
  const codes = [
    await ask(requests.seen),
    ...(await Promise.all(FRESH_ALGORITHMS.map((alg) => ask(requests.fresh[alg][0] ?? requests.without)))),
    await ask(requests.without),
  ];
  client.close();
  if (codes.join() !== "0,0,0,0,7")
    throw new Error(`wrong answers, gRPC codes ${codes.join(", ")} instead of 0,0,0,0,7`);
}

async function expectRefusal(envoy: EnvoyProcess): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${envoy.listenerPort("bench")}/headers`);
  if (status !== 403) throw new Error(`an Envoy answered ${status} to a request without token instead of 403`);
}

function pinned(envoy: EnvoyProcess): EnvoyProcess {
  pin(envoy.pid, SERVER_CORE);
  return envoy;
}

function row(name: string, measure: () => Promise<Sample>): Row {
  return { name, measure, samples: [] };
}

function measureGrpc(server: ServerProcess, messages: readonly Uint8Array[], calls: number): Promise<Sample> {
  const path = "/envoy.service.auth.v3.Authorization/Check";
  const load = { port: server.port, path, metadata: METADATA, messages, calls, connections: 2, concurrency: 50 };
  return sample([server.pid], () => runGrpcLoad(load));
}

/** A server of its own, because tokens are fresh only once; warmed up by a known token and half of the fresh ones. */
async function measureFresh(seen: Uint8Array, fresh: readonly Uint8Array[], warmUpCalls: number): Promise<Sample> {
  const server = await startServerProcess("gatehouse-server.ts", SERVER_CORE);
  const half = fresh.length / 2;
  try {
    await measureGrpc(server, [seen], warmUpCalls);
    await measureGrpc(server, fresh.slice(0, half), half);
    return await measureGrpc(server, fresh.slice(half), half);
  } finally {
    await server.stop();
  }
}

function measureHttp(
  envoy: EnvoyProcess,
  servers: readonly ServerProcess[],
  token: string,
  requests: number,
): Promise<Sample> {
  const headers = { host: "httpbin.foo.example.com", ...requestHeaders(token) };
  const load = { port: envoy.listenerPort("bench"), path: "/headers", headers, requests, connections: 16 };
  return sample([envoy.pid, ...servers.map(({ pid }) => pid)], () => runHttpLoad(load));
}

async function sample(pids: readonly number[], load: () => Promise<LoadResult>): Promise<Sample> {
  const before = pids.map(cpuMicroseconds);
  const { requests, elapsedMs, answerSizes } = await load();
  if (answerSizes.length !== 1) throw new Error(`answers of different sizes: ${answerSizes.join(", ")} bytes`);
  const cpu = pids.map((pid, index) => (cpuMicroseconds(pid) - (before[index] ?? 0)) / requests);
  return { perSecond: requests / (elapsedMs / 1000), cpuMicroseconds: cpu };
}
