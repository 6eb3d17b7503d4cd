import {
  type ExtensionProvider,
  type JwtRule,
  keySetResourceName,
  type MeshConfig,
  type RequestAuthentication,
} from "@gatehouse/protos";
import { type ImportedKeySet, NO_KEYS } from "../authn/key-set.ts";
import { type PreparedJwtRule, prepareJwtRule } from "../authn/prepared-jwt-rule.ts";
import type { ActionRules } from "../authz/evaluate.ts";
import { buildRouteTable, type RouteTable, type RoutingSources, serversOf } from "../routing/route-table.ts";
import { type CustomCheck, groupByProvider } from "./custom-check.ts";
import type { PreparedAuthorizationPolicy } from "./prepared-policy.ts";
import { ReservedHeaders } from "./reserved-headers.ts";
import type { PreparedRule } from "./rule-matcher.ts";
import type { Workload } from "./workload.ts";

/** All that is enforced for one workload, merged and ready. */
export interface WorkloadPolicy {
  readonly workload: Workload;
  /** What this was merged from, to explain it. */
  readonly applicable: ApplicablePolicies;
  readonly mesh: MeshConfig;
  /** Sorted by issuer. */
  readonly jwtRules: readonly PreparedJwtRule[];
  /** In the order in which providers are asked. */
  readonly custom: readonly CustomCheck[];
  readonly audit: readonly PreparedRule[];
  readonly enforced: ActionRules;
  /** Evaluated and recorded, never enforced; null when no policy is in dry-run. */
  readonly dryRun: ActionRules | null;
  /** Some rule looks at single header lines. */
  readonly needsRawHeaders: boolean;
  /** Request headers that a client must not choose. */
  readonly reservedHeaders: ReservedHeaders;
  readonly isGateway: boolean;
  /** The routes at a local port; null when the workload is no gateway. */
  readonly routesAt: (localPort: number) => RouteTable | null;
}

/** What applies to a workload, before it is merged. */
export interface ApplicablePolicies {
  readonly workload: Workload;
  readonly mesh: MeshConfig;
  readonly keySets: ReadonlyMap<string, ImportedKeySet>;
  /** By name. */
  readonly providers: ReadonlyMap<string, ExtensionProvider>;
  /** In Istio's order: the workload's namespace, then the root namespace, oldest first. */
  readonly requestAuthentications: readonly RequestAuthentication[];
  readonly authorizationPolicies: readonly PreparedAuthorizationPolicy[];
  readonly routing: RoutingSources;
}

/** Merges what applies to a workload. */
export function buildWorkloadPolicy(applicable: ApplicablePolicies): WorkloadPolicy {
  const { workload, mesh, keySets, authorizationPolicies } = applicable;
  const jwtRules = mergeJwtRules(applicable.requestAuthentications, keySets);
  const enforced = authorizationPolicies.filter((policy) => !policy.dryRun);
  const dryRun = authorizationPolicies.filter((policy) => policy.dryRun);
  const servers = serversOf(workload, applicable.routing.gateways);
  const tables = new Map<number, RouteTable>();
  const routesAt = (localPort: number): RouteTable | null => {
    if (servers === null) return null;
    const port = workload.serverPort ?? serverPortOf(localPort, servers);
    let table = tables.get(port);
    if (table === undefined) {
      table = buildRouteTable(servers, port, workload, applicable.routing.virtualServices);
      if (tables.size < MAX_TABLES) tables.set(port, table);
    }
    return table;
  };
  return {
    workload,
    applicable,
    mesh,
    jwtRules,
    custom: groupByProvider(enforced, applicable.providers),
    audit: rulesOf(enforced, "AUDIT"),
    enforced: actionRules(enforced),
    dryRun: dryRun.length === 0 ? null : actionRules(dryRun),
    needsRawHeaders: authorizationPolicies.some((policy) => policy.needsRawHeaders),
    reservedHeaders: new ReservedHeaders(jwtRules),
    isGateway: servers !== null,
    routesAt,
  };
}

// Listening ports are few; this only bounds what a confused Envoy could make us keep.
const MAX_TABLES = 64;

/**
 * The Gateway server behind a local port: Istio's ingress Service maps 80 to 8080 and 443 to 8443. A gateway all of whose servers have
 * one port needs no mapping.
 */
function serverPortOf(localPort: number, servers: readonly { readonly server: { readonly port: number } }[]): number {
  const mapped = localPort === 8080 ? 80 : localPort === 8443 ? 443 : localPort;
  const ports = new Set(servers.map(({ server }) => server.port).filter((port) => port !== 0));
  const [only] = ports;
  return ports.size === 1 && only !== undefined ? only : mapped;
}

function actionRules(policies: readonly PreparedAuthorizationPolicy[]): ActionRules {
  const hasAllow = policies.some((policy) => policy.action === "ALLOW");
  return { deny: rulesOf(policies, "DENY"), allow: hasAllow ? rulesOf(policies, "ALLOW") : null };
}

function rulesOf(
  policies: readonly PreparedAuthorizationPolicy[],
  action: PreparedAuthorizationPolicy["action"],
): readonly PreparedRule[] {
  return policies.filter((policy) => policy.action === action).flatMap((policy) => policy.rules);
}

/** The rules of all RequestAuthentications, sorted by issuer; rules of one issuer keep their order. */
function mergeJwtRules(
  requestAuthentications: readonly RequestAuthentication[],
  keySets: ReadonlyMap<string, ImportedKeySet>,
): readonly PreparedJwtRule[] {
  const prepared = requestAuthentications.flatMap(({ kind, meta, jwtRules }) => {
    const ref = { kind, namespace: meta.namespace, name: meta.name };
    const rules = meta.unenforceable !== "" && jwtRules.length === 0 ? [rejectAllRule(meta.unenforceable)] : jwtRules;
    return rules.map((rule, index) => {
      const invalid = rule.invalid === "" ? meta.unenforceable : rule.invalid;
      const keySet = keySets.get(keySetResourceName(rule.keySet)) ?? NO_KEYS;
      return prepareJwtRule({ ...rule, invalid }, { ref, index }, keySet);
    });
  });
  return prepared.toSorted((a, b) => compareBytes(a.issuer, b.issuer));
}

/** Stands for a RequestAuthentication of which not even the rules could be read: any token at the default places is rejected. */
function rejectAllRule(invalid: string): JwtRule {
  return {
    issuer: "",
    audiences: [],
    locations: [],
    keySet: "",
    outputPayloadToHeader: "",
    outputClaimToHeaders: [],
    forwardOriginalToken: false,
    spaceDelimitedClaims: [],
    presence: "OPTIONAL",
    invalid,
  };
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
