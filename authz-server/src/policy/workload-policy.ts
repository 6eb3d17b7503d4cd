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
import { byAge } from "./age.ts";
import { type CustomCheck, groupByProvider } from "./custom-check.ts";
import { type IssuerIndex, indexIssuers } from "./issuer-index.ts";
import { DRY_RUN, hasDryRun, type PolicyGroup } from "./policy-group.ts";
import type { PreparedAuthorizationPolicy } from "./prepared-policy.ts";
import { ReservedHeaders } from "./reserved-headers.ts";
import { serverPortOf } from "./server-port.ts";
import type { Workload } from "./workload.ts";
import { WorkloadRules } from "./workload-rules.ts";

/** All that is enforced for one workload, merged and ready. */
export interface WorkloadPolicy extends JwtPolicy, RoutePolicy {
  readonly workload: Workload;
  /** What this was merged from, to explain it. */
  readonly applicable: ApplicablePolicies;
  readonly mesh: MeshConfig;
  /** In the order in which providers are asked. */
  readonly custom: readonly CustomCheck[];
  readonly audit: WorkloadRules;
  readonly enforced: ActionRules;
  /** Evaluated and recorded, never enforced; null when no policy is in dry-run. */
  readonly dryRun: ActionRules | null;
  /** Some rule looks at single header lines. */
  readonly needsRawHeaders: boolean;
}

interface JwtPolicy {
  /** Sorted by issuer. */
  readonly jwtRules: readonly PreparedJwtRule[];
  /** The same rules; null where they are few, or look at different places. */
  readonly issuers: IssuerIndex | null;
  /** Request headers that a client must not choose. */
  readonly reservedHeaders: ReservedHeaders;
}

interface RoutePolicy {
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
  /** Those of the workload's namespace, then those of the root namespace. */
  readonly groups: readonly PolicyGroup[];
  readonly routing: RoutingSources;
}

/**
 * Merges what applies to a workload.
 * @param before what it was under an earlier set: whatever is still the same is taken from there
 */
export function buildWorkloadPolicy(applicable: ApplicablePolicies, before: WorkloadPolicy | null): WorkloadPolicy {
  const { workload, mesh, groups, providers } = applicable;
  const jwt = before !== null && isSameJwt(before.applicable, applicable) ? before : jwtPolicy(applicable);
  const routes = before !== null && isSameRouting(before.applicable, applicable) ? before : routePolicy(applicable);
  const isSameRest = before?.applicable.providers === providers && isSameList(before.applicable.groups, groups);
  if (isSameRest && jwt === before && routes === before && before.mesh === mesh) return before;
  return {
    workload,
    applicable,
    mesh,
    jwtRules: jwt.jwtRules,
    issuers: jwt.issuers,
    custom: groupByProvider(groups, providers),
    audit: rulesIn(groups, "AUDIT"),
    enforced: actionRules(groups, ""),
    dryRun: groups.some(hasDryRun) ? actionRules(groups, DRY_RUN) : null,
    needsRawHeaders: groups.some((group) => group.needsRawHeaders),
    reservedHeaders: jwt.reservedHeaders,
    isGateway: routes.isGateway,
    routesAt: routes.routesAt,
  };
}

/** The RequestAuthentications in Istio's order: the workload's namespace, then the root namespace, oldest first. */
export function requestAuthenticationsOf({
  workload,
  groups,
}: Pick<ApplicablePolicies, "workload" | "groups">): readonly RequestAuthentication[] {
  const all = groups.flatMap((group) => group.requestAuthentications);
  const isOwn = ({ meta }: RequestAuthentication): boolean => meta.namespace === workload.namespace;
  return [...all.filter(isOwn).sort(byAge), ...all.filter((policy) => !isOwn(policy)).sort(byAge)];
}

/** The AuthorizationPolicies in the order in which their rules count. */
export function authorizationPoliciesOf({
  groups,
}: Pick<ApplicablePolicies, "groups">): readonly PreparedAuthorizationPolicy[] {
  return groups.flatMap((group) => group.authorizationPolicies).sort((a, b) => a.order - b.order);
}

function isSameList<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function isSameJwt(a: ApplicablePolicies, b: ApplicablePolicies): boolean {
  const lists = ({ groups }: ApplicablePolicies) => groups.flatMap((group) => group.requestAuthentications);
  return a.keySets === b.keySets && isSameList(lists(a), lists(b));
}

function jwtPolicy(applicable: ApplicablePolicies): JwtPolicy {
  const jwtRules = mergeJwtRules(requestAuthenticationsOf(applicable), applicable.keySets);
  return { jwtRules, issuers: indexIssuers(jwtRules), reservedHeaders: new ReservedHeaders(jwtRules) };
}

function isSameRouting(a: ApplicablePolicies, b: ApplicablePolicies): boolean {
  return a.routing === b.routing;
}

function routePolicy({ workload, routing }: ApplicablePolicies): RoutePolicy {
  const servers = serversOf(workload, routing.gateways);
  const tables = new Map<number, RouteTable>();
  const routesAt = (localPort: number): RouteTable | null => {
    if (servers === null) return null;
    const port = workload.serverPort ?? serverPortOf(localPort, servers);
    let table = tables.get(port);
    if (table === undefined) {
      table = buildRouteTable(servers, port, workload, routing.virtualServices);
      if (tables.size < MAX_TABLES) tables.set(port, table);
    }
    return table;
  };
  return { isGateway: servers !== null, routesAt };
}

// Listening ports are few; this only bounds what a confused Envoy could make us keep.
const MAX_TABLES = 64;

function actionRules(groups: readonly PolicyGroup[], prefix: string): ActionRules {
  const allow = `${prefix}ALLOW`;
  const hasAllow = groups.some(({ slots }) => slots.has(allow));
  return { deny: rulesIn(groups, `${prefix}DENY`), allow: hasAllow ? rulesIn(groups, allow) : null };
}

function rulesIn(groups: readonly PolicyGroup[], slot: string): WorkloadRules {
  return new WorkloadRules(groups.flatMap(({ slots }) => slots.get(slot) ?? []));
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
