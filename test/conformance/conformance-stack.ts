import { isDeepStrictEqual } from "node:util";
import { parseObject } from "@gatehouse/controller/resources";
import { stringify } from "yaml";
import { type EchoUpstreams, type ReceivedRequest, startEchoUpstreams } from "../support/echo-upstream.ts";
import { startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap, type TestListener } from "../support/envoy-config.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { sendRaw } from "../support/raw-http.ts";
import type { CaseRequest, CaseWorkload, ConformanceCase } from "./case.ts";
import type { Observation, ObservedUpstream } from "./compare.ts";
import { startKeyServer } from "./key-server.ts";

/** A Gatehouse, an Envoy and the upstreams that serve a list of scenarios, one after the other. */
export interface ConformanceStack {
  /** Makes the scenario's objects the policy that is enforced. */
  enter(scenario: ConformanceCase): Promise<void>;
  /** Sends a request of the scenario that was entered last. */
  send(scenario: ConformanceCase, request: CaseRequest): Promise<Observation>;
  stop(): Promise<void>;
}

/**
 * Starts what the scenarios need. The Envoy has one listener for each distinct workload; the requests' addresses
 * and ports reach it by PROXY protocol, so that policies on ports see the port that the scenario names.
 * @param scenarios all of the same meshConfig (see `byMeshConfig`)
 */
export async function startConformanceStack(scenarios: readonly ConformanceCase[]): Promise<ConformanceStack> {
  const workloads = distinct(scenarios.map(({ workload }) => workload));
  const clusters = distinct(scenarios.flatMap(clustersOf));
  const meshConfig = scenarios[0]?.meshConfig ?? {};
  const running: { stop(): Promise<void> }[] = [];
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    running.unshift(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const part of running) await part.stop();
  };
  try {
    const upstreams = await started(startEchoUpstreams([LOCAL, ...clusters]));
    const keyServer = await started(startKeyServer());
    const gatehouse = await started(startGatehouse({ meshConfig: stringify(meshConfig) }));
    const envoy = await started(
      startEnvoy(
        buildEnvoyBootstrap({
          authzPort: gatehouse.checkPort,
          clusters: new Map(upstreams.names.map((name) => [name, upstreams.port(name)])),
          listeners: workloads.map((workload, index) => toListener(workload, index, meshConfig)),
        }),
      ),
    );
    const listenerOf = (workload: CaseWorkload): string =>
      listenerName(workloads.findIndex((other) => isDeepStrictEqual(other, workload)));
    return {
      enter: async (scenario) => {
        // An invalid object keeps its last good version, which would be that of another scenario with the same names.
        if (scenario.resources.some((resource) => parseObject(resource).kind === "invalid")) await gatehouse.apply("");
        await gatehouse.apply(policiesOf(keyServer.serve(scenario)));
      },
      send: (scenario, request) => exchange(envoy.listenerPort(listenerOf(scenario.workload)), request, upstreams),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Scenarios that can share a stack, because MeshConfig is one for a whole mesh. */
export function byMeshConfig(scenarios: readonly ConformanceCase[]): readonly (readonly ConformanceCase[])[] {
  const meshConfigs = distinct(scenarios.map(({ meshConfig }) => meshConfig));
  return meshConfigs.map((meshConfig) => scenarios.filter((other) => isDeepStrictEqual(other.meshConfig, meshConfig)));
}

/** The cluster of a sidecar's own application. */
const LOCAL = "workload";

function clustersOf(scenario: ConformanceCase): readonly string[] {
  return scenario.services.flatMap(({ host, port, subsets }) => [
    `${host}:${port}`,
    ...subsets.map((subset) => `${host}:${port}/${subset}`),
  ]);
}

function toListener(
  workload: CaseWorkload,
  index: number,
  meshConfig: Readonly<Record<string, unknown>>,
): TestListener {
  const { namespace, labels, gateways } = workload;
  const normalization = normalizationOf(meshConfig);
  return {
    name: listenerName(index),
    profile: workload.kind === "gateway" ? "istio-gateway" : "istio-sidecar",
    identity: { namespace, labels, ...(workload.kind === "gateway" ? { gateways } : {}) },
    proxyProtocol: true,
    localCluster: LOCAL,
    ...(normalization === undefined ? {} : { pathNormalization: normalization }),
  };
}

function listenerName(index: number): string {
  return `workload-${index}`;
}

const NORMALIZATIONS = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

function normalizationOf(meshConfig: Readonly<Record<string, unknown>>): TestListener["pathNormalization"] {
  const { pathNormalization } = meshConfig;
  if (typeof pathNormalization !== "object" || pathNormalization === null) return undefined;
  return NORMALIZATIONS.find((type) => isDeepStrictEqual(pathNormalization, { normalization: type }));
}

function policiesOf(scenario: ConformanceCase): string {
  return scenario.resources.map((resource) => stringify(resource)).join("---\n");
}

async function exchange(port: number, request: CaseRequest, upstreams: EchoUpstreams): Promise<Observation> {
  upstreams.takeReceived();
  const { method, authority, path, headers, sourceIp } = request;
  const proxy = { sourceIp, destinationPort: request.port };
  const answer = await sendRaw(port, { method, authority, path, headers, proxy });
  const [received] = upstreams.takeReceived();
  return {
    status: answer.status,
    body: answer.body,
    responseHeaders: answer.headers,
    upstream: received === undefined ? null : toUpstream(received, request),
  };
}

/** `httpbin.foo.svc.cluster.local:8000/v1` is host, port and subset; the sidecar's own application has the port asked for. */
function toUpstream(received: ReceivedRequest, request: CaseRequest): ObservedUpstream {
  const { method, path, authority, headers, upstream } = received;
  const name = /^(.+):(\d+)(\/.+)?$/.exec(upstream);
  const destination = name ? `${name[1]}${name[3] ?? ""}` : upstream;
  return { destination, port: name ? Number(name[2]) : request.port, method, path, authority, headers };
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return values.filter((value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index);
}
