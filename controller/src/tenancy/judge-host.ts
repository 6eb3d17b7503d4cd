import type { GatewayHost } from "@gatehouse/protos";
import type { ObjectKey } from "../resources/object.ts";
import type { Diagnostic } from "../translate/index.ts";
import type { HostVerdict } from "./host-claims.ts";
import { type Aged, compareAge } from "./object-order.ts";
import type { RouteSignatures } from "./route-signatures.ts";

/** A VirtualService, as far as others are concerned. */
export interface Claimant extends Aged {
  readonly key: ObjectKey;
  /** `exportTo` as a text. Who goes first among different ones depends on the namespace of the gateway's workload. */
  readonly visibility: string;
  readonly routes: readonly RouteSignatures[];
}

/** A host that a VirtualService has at one gateway. */
export interface Claim extends GatewayHost {
  readonly by: Claimant;
  /** Position in `spec.hosts`. */
  readonly index: number;
}

const MAX_SHADOWED = 5;

/**
 * What those who have one host at one gateway are told of each other.
 * @param claims oldest first
 * @param owner null: nobody owns hosts, all are served
 */
export function judgeHost(
  place: GatewayHost,
  claims: readonly Claim[],
  owner: Claimant | null,
): ReadonlyMap<ObjectKey, HostVerdict> {
  const isServed = ({ by }: Claim) => owner === null || by.namespace === owner.namespace;
  const served = claims.filter(isServed);
  const verdicts = new Map<ObjectKey, HostVerdict>();
  for (const claim of claims) {
    if (owner !== null && !isServed(claim)) verdicts.set(claim.by.key, refusal(place, claim, owner));
  }
  const first = served[0]?.by ?? null;
  const foreign = served.find(({ by }) => by.namespace !== first?.namespace)?.by ?? null;
  const seen = new Map<string, Claimant>();
  for (const claim of served) {
    const other = otherNamespace(claim.by, first, foreign);
    const diagnostics = [...(other === null ? [] : [sharing(place, claim, other)]), ...shadowed(place, claim, seen)];
    verdicts.set(claim.by.key, { diagnostics, refused: [] });
  }
  return verdicts;
}

function refusal({ gateway, host }: GatewayHost, { index }: Claim, owner: Claimant): HostVerdict {
  const message = `host ${host} at gateway ${gateway} belongs to namespace ${owner.namespace} by the older ${titleOf(owner)}; no route of this object is used there`;
  return {
    diagnostics: [{ path: `spec.hosts[${index}]`, reason: "Conflicted", message }],
    refused: [{ gateway, host }],
  };
}

/**
 * One is enough for a remark: the oldest of another namespace before it; for the first of all, the next of another one.
 * @param foreign the oldest of another namespace than that of the first
 */
function otherNamespace(by: Claimant, first: Claimant | null, foreign: Claimant | null): Claimant | null {
  if (first === null || foreign === null) return null;
  if (by.namespace !== first.namespace) return first;
  return by === first || compareAge(foreign, by) < 0 ? foreign : null;
}

function sharing({ gateway, host }: GatewayHost, { by, index }: Claim, other: Claimant): Diagnostic {
  const order = other.visibility === by.visibility ? orderText(by, other) : "";
  const message = `host ${host} at gateway ${gateway} is shared with ${titleOf(other)} of another namespace${order}`;
  return { path: `spec.hosts[${index}]`, reason: "Warning", message };
}

function orderText(by: Claimant, other: Claimant): string {
  const why = by.createdAtMs === other.createdAtMs ? "by name" : "being older";
  return compareAge(by, other) < 0 ? `; the routes of this object go first, ${why}` : `; its routes go first, ${why}`;
}

/** Routes that no request reaches, because an object before this one takes them all. @param seen what was taken so far */
function shadowed({ gateway, host }: GatewayHost, { by }: Claim, seen: Map<string, Claimant>): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const taker = (signature: string) => seen.get(`${by.visibility} ${signature}`);
  for (const { index, signatures } of by.routes) {
    const takers = signatures.map(taker);
    const first = takers[0];
    if (first === undefined || takers.includes(undefined) || found.length === MAX_SHADOWED) continue;
    const message = `never matches for host ${host} at gateway ${gateway}: ${titleOf(first)} goes first and has the same match`;
    found.push({ path: `spec.http[${index}]`, reason: "Warning", message });
  }
  for (const { signatures, isDelegating, isCatchAll } of by.routes) {
    for (const signature of isDelegating ? [] : signatures) {
      const name = `${by.visibility} ${signature}`;
      if (!seen.has(name)) seen.set(name, by);
    }
    if (isCatchAll) break;
  }
  return found;
}

function titleOf({ namespace, name }: Aged): string {
  return `VirtualService ${namespace}/${name}`;
}
