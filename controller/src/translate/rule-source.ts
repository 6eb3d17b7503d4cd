import type { IpCondition, PeerCondition } from "@gatehouse/protos";
import type { Source } from "../resources/gen/types.ts";
import { type ConditionLists, readLists } from "./condition-lists.ts";
import { parseRequestPrincipal, parseServiceAccount, parseTrustDomain, parseVerbatim } from "./condition-values.ts";
import { parseIpRange } from "./ip-range.ts";
import type { Parsed } from "./parsed.ts";
import { allOf, BROKEN, conditionOf, fieldList, type RuleScope, type TranslatedConditions } from "./rule-scope.ts";

/** Translates one `from[].source`. @param field its place in the rule, for people: `from[0].source` @param path its place in the object */
export function translateSource(source: Source, field: string, path: string, scope: RuleScope): TranslatedConditions {
  checkServiceAccounts(source, path, scope);
  warnOfUnknownPeers(source, path, scope);
  const lists = (name: SourceField): ConditionLists => ({
    field: `${field}.${name}`,
    values: fieldList(source[name], path, name),
    notValues: fieldList(source[notField(name)], path, notField(name)),
  });
  const { namespace } = scope;
  return allOf([
    identity(peer(lists("principals"), "sourcePrincipal", parseVerbatim, scope), lists("principals"), scope),
    identity(requestPrincipals(lists("requestPrincipals"), scope), lists("requestPrincipals"), scope),
    identity(peer(lists("namespaces"), "sourceNamespace", parseVerbatim, scope), lists("namespaces"), scope),
    identity(
      peer(lists("serviceAccounts"), "sourceServiceAccount", (v, n) => parseServiceAccount(v, n, namespace), scope),
      lists("serviceAccounts"),
      scope,
    ),
    identity(peer(lists("trustDomains"), "sourceTrustDomain", parseTrustDomain, scope), lists("trustDomains"), scope),
    ip(lists("ipBlocks"), "sourceIp", scope),
    ip(lists("remoteIpBlocks"), "remoteIp", scope),
  ]);
}

/** The fields of a source, without their negated twins. */
export const SOURCE_FIELDS = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "serviceAccounts",
  "trustDomains",
  "ipBlocks",
  "remoteIpBlocks",
] as const;

type SourceField = (typeof SOURCE_FIELDS)[number];

/** True when no field of the source has a value. */
export function isEmptySource(source: Source): boolean {
  return SOURCE_FIELDS.every((name) => isNone(source[name]) && isNone(source[notField(name)]));
}

function isNone(list: readonly string[] | undefined): boolean {
  return (list?.length ?? 0) === 0;
}

function notField<Name extends SourceField>(name: Name): `not${Capitalize<Name>}`;
function notField(name: string): string {
  return `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function peer(
  lists: ConditionLists,
  attribute: PeerCondition["attribute"],
  parse: (text: string, name: string) => Parsed<string>,
  scope: RuleScope,
): TranslatedConditions {
  return conditionOf(readLists(lists, parse, scope.findings), (compared) => ({ attribute, ...compared }));
}

function requestPrincipals(lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  const compared = readLists(lists, parseRequestPrincipal, scope.findings);
  return conditionOf(compared, (condition) => ({ attribute: "requestPrincipal", ...condition }));
}

function ip(lists: ConditionLists, attribute: IpCondition["attribute"], scope: RuleScope): TranslatedConditions {
  return conditionOf(readLists(lists, parseIpRange, scope.findings), (compared) => ({ attribute, ...compared }));
}

/** CUSTOM runs before tokens are verified, and Istio refuses every kind of identity there: the condition goes, the provider is asked. */
function identity(part: TranslatedConditions, lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  if (scope.action !== "CUSTOM") return part;
  const refused = [lists.values, lists.notValues].filter((list) => list.items.length > 0);
  for (const list of refused) {
    scope.findings.invalid(list.path, `From.${list.name} is currently not supported with CUSTOM action`);
  }
  return refused.length === 0 ? part : BROKEN;
}

/** As in Istio, a peer without certificate is not any of those listed: ISTIO-SECURITY-2021-004. */
function warnOfUnknownPeers(source: Source, path: string, scope: RuleScope): void {
  if (scope.action !== "ALLOW" || PEER_FIELDS.some((name) => !isNone(source[name]))) return;
  const [name] = PEER_FIELDS.filter((field) => !isNone(source[notField(field)]));
  if (name === undefined) return;
  scope.findings.warn(path, `${notField(name)} alone also allows peers without a certificate${REQUIRE_ONE}`);
}

const REQUIRE_ONE = '; a condition on source.principal with the value "*" requires one';
const PEER_FIELDS = ["principals", "namespaces", "serviceAccounts", "trustDomains"] as const;

function checkServiceAccounts(source: Source, path: string, scope: RuleScope): void {
  const hasAccounts = !isNone(source.serviceAccounts) || !isNone(source.notServiceAccounts);
  const others = [source.principals, source.notPrincipals, source.namespaces, source.notNamespaces];
  if (hasAccounts && !others.every(isNone)) {
    const rule = /rules\[(\d+)\]/.exec(path)?.[1] ?? "";
    const message = `cannot set serviceAccounts with namespaces or principals, found at rule ${rule}`;
    scope.findings.invalid(path, message);
  }
  for (const name of ["serviceAccounts", "notServiceAccounts"] as const) {
    if ((source[name]?.length ?? 0) > 16) scope.findings.invalid(`${path}.${name}`, "may not have more than 16 values");
  }
}
