import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import { type EchoUpstreams, type ReceivedRequest, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyBootstrap, type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap, type TestListener } from "../support/envoy-config.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import type { RawResponse } from "../support/raw-http.ts";
import { type DeliberateContext, normaliseGatehouse, normaliseOracle, requestForOracle } from "./deliberate.ts";
import { type KeepAliveConnection, keepAliveConnection } from "./keep-alive.ts";
import { oracleListener } from "./oracle/oracle-listener.ts";
import type { Config } from "./oracle/string-matcher.ts";
import {
  APPLICATION,
  type Difference,
  type Lines,
  type MeshVariant,
  type Observation,
  type PolicyObject,
  type PolicySet,
  ROOT_NAMESPACE,
  SERVICES,
  type TestRequest,
} from "./policy-set.ts";

/**
 * Puts all requests of the sets to one Envoy, to a listener that decides by Envoy's own filters and to one that asks Gatehouse.
 * One Gatehouse serves all sets: each has a namespace of its own.
 * @returns the differences by set, in the order of the sets
 */
export async function runBatch(
  sets: readonly PolicySet[],
  mesh: MeshVariant,
): Promise<readonly (readonly Difference[])[]> {
  const running: { stop(): Promise<void> }[] = [];
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    running.unshift(part);
    return part;
  };
  try {
    const upstreams = await started(startEchoUpstreams([APPLICATION, ...SERVICES]));
    const policies = sets.flatMap((set, index) => placedObjects(set, index).map((object) => stringify(object)));
    const gatehouse = await started(startGatehouse({ policies: policies.join("---\n"), meshConfig: meshConfig(mesh) }));
    const envoy = await started(startEnvoy(bootstrap(sets, mesh, gatehouse.checkPort, upstreams)));
    return await runSets(sets, mesh, envoy);
  } finally {
    for (const part of running) await part.stop();
  }
}

function meshConfig({ pathNormalization, numTrustedProxies }: MeshVariant): string {
  return JSON.stringify({
    pathNormalization: { normalization: pathNormalization },
    defaultConfig: { gatewayTopology: { numTrustedProxies } },
  });
}

function namespaceOf(index: number): string {
  return `set-${index}`;
}

/** The objects in the set's own namespace; those of the root namespace select the set by a label. Oldest first. */
function placedObjects(set: PolicySet, index: number): readonly unknown[] {
  return set.objects.map((object: PolicyObject, age) => {
    const { name, namespace } = object.metadata;
    const createdAt = new Date(Date.UTC(2026, 0, 1) + age * 1000).toISOString().replace(".000Z", "Z");
    const placed = {
      ...object.metadata,
      creationTimestamp: createdAt,
      name: namespace === ROOT_NAMESPACE ? `${name}-${index}` : name,
      namespace: namespace === ROOT_NAMESPACE ? namespace : namespaceOf(index),
    };
    const spec: unknown = JSON.parse(
      JSON.stringify(object.spec).replaceAll('"set":"foo"', `"set":"${namespaceOf(index)}"`),
    );
    return { ...object, metadata: placed, spec };
  });
}

function bootstrap(
  sets: readonly PolicySet[],
  mesh: MeshVariant,
  authzPort: number,
  upstreams: EchoUpstreams,
): EnvoyBootstrap {
  const listeners = sets.map((set, index): TestListener => {
    const labels = { app: "httpbin", set: namespaceOf(index) };
    const gateway = set.kind === "gateway" ? { gateways: [`${namespaceOf(index)}/gateway`], serverPort: 80 } : {};
    return {
      name: `gatehouse-${index}`,
      profile: set.kind === "gateway" ? "istio-gateway" : "istio-sidecar",
      identity: { namespace: namespaceOf(index), labels, ...gateway },
      pathNormalization: mesh.pathNormalization,
      ...(set.kind === "gateway" ? { numTrustedProxies: mesh.numTrustedProxies } : {}),
      proxyProtocol: true,
      localCluster: APPLICATION,
    };
  });
  const clusters = new Map(upstreams.names.map((name) => [name, upstreams.port(name)]));
  const built = buildEnvoyBootstrap({ authzPort, listeners, clusters });
  const { static_resources: resources }: { readonly static_resources: { readonly listeners: readonly Config[] } } =
    JSON.parse(JSON.stringify(built), (_, value) => withTrustedHops(value, mesh.numTrustedProxies));
  const oracles = sets.map((set, index) => oracleListener(resources.listeners[index] ?? {}, set, `oracle-${index}`));
  const plain = oracleListener(resources.listeners[0] ?? {}, PLAIN, NORMALISER);
  return { ...built, static_resources: { ...resources, listeners: [...resources.listeners, ...oracles, plain] } };
}

/** The shipped sidecar says nothing about proxies in front of it; Istio sets the number there too. */
function withTrustedHops(value: unknown, hops: number): unknown {
  const isConnectionManager = typeof value === "object" && value !== null && "use_remote_address" in value;
  return isConnectionManager ? { ...value, xff_num_trusted_hops: hops } : value;
}

/** A listener without policy: it tells what Envoy's normalisation makes of a path. */
const PLAIN: PolicySet = { name: "plain", kind: "sidecar", objects: [], requests: [], twins: [] };
const NORMALISER = "normaliser";

/** Sets that are worked on at a time; the requests of a set go one after the other. */
const CONCURRENCY = 6;

async function runSets(
  sets: readonly PolicySet[],
  mesh: MeshVariant,
  envoy: EnvoyProcess,
): Promise<readonly (readonly Difference[])[]> {
  const results: (readonly Difference[])[] = sets.map(() => []);
  const waiting = sets.map((set, index) => ({ set, index }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next.index] = await runSet(next.set, next.index, mesh, envoy);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results;
}

async function runSet(
  set: PolicySet,
  index: number,
  mesh: MeshVariant,
  envoy: EnvoyProcess,
): Promise<readonly Difference[]> {
  const connections = new Connections(envoy);
  const differences: Difference[] = [];
  try {
    for (const request of set.requests) {
      const stablePath = mesh.pathNormalization === "NONE" ? null : await findStablePath(connections, request.path);
      const context: DeliberateContext = { set, request, stablePath };
      const [fromOracle, fromGatehouse] = await Promise.all([
        connections.send(`oracle-${index}`, requestForOracle(context)),
        connections.send(`gatehouse-${index}`, request),
      ]);
      const oracle = normaliseOracle(fromOracle, context);
      const gatehouse = normaliseGatehouse(fromGatehouse, context);
      if (!isDeepStrictEqual(oracle, gatehouse)) differences.push({ set, mesh, request, oracle, gatehouse });
    }
  } finally {
    connections.close();
  }
  return differences;
}

/** docs/differences.md stable-path: what Envoy's own normalisation ends at, when it is asked again and again. */
async function findStablePath(connections: Connections, target: string): Promise<string | null> {
  const [, path = "", rest = ""] = /^([^?#]*)(.*)$/s.exec(target) ?? [];
  if (/^[\w/-]*$/.test(path) && !path.includes("//")) return null;
  let current = path;
  for (let round = 0; round < 8; round++) {
    const next = await connections.send(NORMALISER, { ...PLAIN_REQUEST, path: current });
    if (next.upstream === null || next.upstream.path === current) return round < 2 ? null : current + rest;
    current = next.upstream.path;
  }
  return null;
}

const PLAIN_REQUEST: TestRequest = {
  method: "GET",
  authority: "plain",
  path: "/",
  headers: [],
  sourceIp: "127.0.0.1",
  port: 8080,
};

/** Connections that are kept open, one for each listener and pair of addresses. */
class Connections {
  readonly #envoy: EnvoyProcess;
  readonly #open = new Map<string, KeepAliveConnection>();

  constructor(envoy: EnvoyProcess) {
    this.#envoy = envoy;
  }

  async send(listener: string, request: TestRequest): Promise<Observation> {
    const { method, authority, path, headers, sourceIp, port } = request;
    const isV6 = sourceIp.includes(":");
    const addresses = `${isV6 ? "TCP6" : "TCP4"} ${sourceIp} ${isV6 ? "::1" : "127.0.0.1"} 40000 ${port}`;
    const key = `${listener} ${addresses}`;
    const known = this.#open.get(key);
    const connection = known ?? keepAliveConnection(this.#envoy.listenerPort(listener), `PROXY ${addresses}\r\n`);
    if (known === undefined) this.#open.set(key, connection);
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n`;
    return observe(await connection.send(head, method === "HEAD"), method === "HEAD");
  }

  close(): void {
    for (const connection of this.#open.values()) connection.close();
  }
}

const RESPONSE_HEADERS = /^(www-authenticate|location|content-type|access-control-.*|x-more|x-upstream|vary)$/;

/** An echo service answers with what it received, so nothing needs to be matched up. */
function observe(response: RawResponse, isHead: boolean): Observation {
  const isFromUpstream = response.headers.some(([name]) => name === "x-up-secret");
  const headers = toLines(response.headers.filter(([name]) => RESPONSE_HEADERS.test(name)));
  if (!isFromUpstream) return { status: response.status, body: response.body, headers, upstream: null };
  if (isHead) {
    const unknown = { name: "(HEAD)", method: "HEAD", authority: "", path: "", headers: {} };
    return { status: response.status, body: "", headers, upstream: unknown };
  }
  const received: ReceivedRequest = JSON.parse(response.body);
  const { upstream: name, method, authority, path } = received;
  const upstreamHeaders = toLines(received.headers.filter(([header]) => !isEnvoysOwn(header)));
  return {
    status: response.status,
    body: "",
    headers,
    upstream: { name, method, authority, path, headers: upstreamHeaders },
  };
}

function isEnvoysOwn(name: string): boolean {
  return name === "x-request-id" || name.startsWith("x-envoy-");
}

function toLines(headers: readonly (readonly [string, string])[]): Lines {
  const lines: Record<string, string[]> = {};
  for (const [name, value] of headers.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))) {
    lines[name] = [...(lines[name] ?? []), value];
  }
  return lines;
}
