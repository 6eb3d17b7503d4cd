import { hash } from "node:crypto";
import {
  applyUpdate,
  type Decision,
  decide,
  type PolicyIndex,
  parseWorkload,
  TokenCache,
  type WorkloadPolicy,
} from "@gatehouse/authz-server/engine";
import { afterAttempt, createKeyFetcher, NEVER_FETCHED, toKeySet } from "@gatehouse/controller/jwks";
import { parseObject } from "@gatehouse/controller/resources";
import {
  type KeySource,
  parseMeshConfig,
  type TranslateContext,
  type Translated,
  translateInvalid,
  translateObject,
} from "@gatehouse/controller/translate";
import { type KeySet, type PolicyResource, resourceName } from "@gatehouse/protos";
import { decodeResource, encodeResource } from "@gatehouse/protos/wire";
import { stringify } from "yaml";
import { type CaseObject, type CaseRequest, type ConformanceCase, isRefusedByCodec } from "./case.ts";
import { compare, type Observation } from "./compare.ts";
import { applyDecision, identityOf, toHttpRequest } from "./envoy-model.ts";
import { startKeyServer } from "./key-server.ts";
import type { Outcome } from "./run-cases.ts";

/** Runs a scenario without any server: translate, to the wire and back, prepare, decide. Skips what never reaches a server. */
export async function runInProcess(scenario: ConformanceCase): Promise<readonly Outcome[]> {
  const policy = await policyOf(scenario);
  return scenario.requests
    .filter((request) => !isRefusedByCodec(request))
    .map((request) => ({
      scenario,
      request,
      way: "in process",
      differences: differencesOf(scenario, request, policy),
    }));
}

/** What the controller makes of the scenario's objects. */
export function translateCase(scenario: ConformanceCase): readonly Translated[] {
  return scenario.resources.flatMap(translateCaseObject);
}

/** What the controller makes of one object. */
export function translateCaseObject(object: CaseObject): readonly Translated[] {
  const parsed = parseObject(object);
  switch (parsed.kind) {
    case "valid":
      return [translateObject(parsed.object, CONTEXT)];
    case "invalid":
      return [translateInvalid(parsed.object, CONTEXT)];
    case "foreign":
    case "unrelated":
    case "unidentified":
      throw new Error(`test/cases holds an object that is not read: ${object.kind} ${object.metadata.name}`);
  }
}

const CONTEXT: TranslateContext = { dnsSuffix: "svc.cluster.local", hash: (text) => hash("sha256", text) };

/** The policy of the scenario's workload, as a server prepares it. */
export async function policyOf(scenario: ConformanceCase): Promise<WorkloadPolicy> {
  const index = await indexOf(scenario);
  const identity = Object.fromEntries(identityOf(scenario));
  const workload = parseWorkload({
    namespace: identity["gatehouse-namespace"] ?? "",
    labels: identity["gatehouse-labels"] ?? "",
    gateways: identity["gatehouse-gateways"] ?? "",
    serverPort: "",
  });
  if (workload === undefined) throw new Error(`${scenario.id}: no usable workload`);
  return index.select(workload);
}

async function indexOf(scenario: ConformanceCase): Promise<PolicyIndex> {
  const { meshConfig, providers, errors } = parseMeshConfig(stringify(scenario.meshConfig));
  if (errors.length > 0) throw new Error(`${scenario.id}: bad meshConfig: ${JSON.stringify(errors)}`);
  const resources = [meshConfig, ...providers, ...(await resourcesOf(scenario))];
  // Several objects may bring the same key set.
  const byName = new Map(resources.map((resource) => [resourceName(resource), overTheWire(resource)]));
  const prepared = await applyUpdate(null, { upserts: [...byName.values()], removed: [] });
  if (!prepared.ok) throw new Error(`${scenario.id}: ${JSON.stringify(prepared.errors)}`);
  return prepared.index;
}

async function resourcesOf(scenario: ConformanceCase): Promise<readonly PolicyResource[]> {
  const translated = translateCase(scenario);
  if (translated.every(({ keySources }) => keySources.length === 0))
    return translated.flatMap(({ resources }) => resources);
  const server = await startKeyServer();
  try {
    const located = translateCase(server.serve(scenario));
    const fetched = await Promise.all(located.flatMap(({ keySources }) => keySources.map(fetchKeySet)));
    return [...located.flatMap(({ resources }) => resources), ...fetched];
  } finally {
    await server.stop();
  }
}

/** Only from this machine: what is elsewhere counts as out of reach. */
const fetchKeys = createKeyFetcher({
  allowLoopback: true,
  allowedHosts: ["127.0.0.1"],
  blockedCidrs: [],
  extraCa: "",
  proxy: null,
});

async function fetchKeySet(source: KeySource): Promise<KeySet> {
  const outcome = await fetchKeys(source, new AbortController().signal);
  return toKeySet(source, afterAttempt(NEVER_FETCHED, outcome, 0, 0));
}

function overTheWire(resource: PolicyResource): PolicyResource {
  return decodeResource(encodeResource(resource));
}

function differencesOf(scenario: ConformanceCase, request: CaseRequest, policy: WorkloadPolicy): readonly string[] {
  const { observation, dryRun } = observe(scenario, request, policy);
  return [...compare(scenario, request, observation), ...compareDryRun(request, dryRun)];
}

/** Decides one request, and tells what an Envoy would make of the decision and what the policies in dry-run said. */
export function observe(
  scenario: ConformanceCase,
  request: CaseRequest,
  policy: WorkloadPolicy,
): { readonly observation: Observation; readonly dryRun: readonly string[] } {
  const dryRun: string[] = [];
  const decision: Decision = decide(policy, toHttpRequest(scenario, request), {
    cache: new TokenCache({ entries: 0, bytes: 0 }, () => undefined),
    now: Date.now,
    random: () => 0,
    record: { dryRun: (verdict) => void dryRun.push(verdict.kind) },
  });
  return { observation: applyDecision(scenario, request, decision), dryRun };
}

/** The recorded counters of dry-run policies are the shadow results of Envoy's RBAC filter. */
function compareDryRun(request: CaseRequest, verdicts: readonly string[]): readonly string[] {
  const expected = Object.keys(request.expect.rbacStats).flatMap((name) => /\.shadow_(.+)$/.exec(name)?.[1] ?? []);
  if (expected.join() === verdicts.join()) return [];
  return [`dry run: expected ${expected.join() || "nothing"}, got ${verdicts.join() || "nothing"}`];
}
