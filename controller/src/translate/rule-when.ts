import type { ClaimCondition, FilterMetadataCondition, IpCondition, PeerCondition } from "@gatehouse/protos";
import type { Condition as When } from "../resources/gen/types.ts";
import { parseBracketedName, parseClaimBrackets } from "./claim-key.ts";
import { type ConditionLists, readLists } from "./condition-lists.ts";
import {
  parseFilterMetadata,
  parsePort,
  parseRequestPrincipal,
  parseServiceAccount,
  parseString,
  parseTrustDomain,
  parseVerbatim,
} from "./condition-values.ts";
import { parseIpRange } from "./ip-range.ts";
import { BROKEN, conditionOf, type RuleScope, type TranslatedConditions } from "./rule-scope.ts";

const HEADERS = "request.headers";
const CLAIMS = "request.auth.claims";
const FILTERS = "experimental.envoy.filters.";

/** Translates one `when[]`. @param field its place in the rule: `when[0]` @param path its place in the object */
export function translateWhen(when: When, field: string, path: string, scope: RuleScope): TranslatedConditions {
  const key = when.key ?? "";
  const refusal = checkKey(key, when, scope.action);
  if (refusal !== null) {
    scope.findings.invalid(refusal.isKey ? `${path}.key` : path, refusal.message);
    return BROKEN;
  }
  const list = (items: readonly string[] | undefined, name: "values" | "notValues") => ({
    items: items ?? [],
    path: `${path}.${name}`,
    name: key,
    explain: (message: string) => explain(name, key, message),
  });
  const lists = {
    field: `${field}.${key}`,
    values: list(when.values, "values"),
    notValues: list(when.notValues, "notValues"),
  };
  return translateKey(key, lists, scope);
}

function explain(list: "values" | "notValues", key: string, message: string): string {
  return `invalid \`${list === "values" ? "value" : "notValue"}\` for \`key\` ${key}: ${message}`;
}

const CUSTOM_REFUSES = ["source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal"];

function checkKey(key: string, when: When, action: string): { isKey: boolean; message: string } | null {
  if (key === "") return { isKey: true, message: "`key` must not be empty" };
  const hasValues = (when.values?.length ?? 0) > 0;
  if (!hasValues && (when.notValues?.length ?? 0) === 0) {
    return { isKey: false, message: `at least one of \`values\` or \`notValues\` must be set for key ${key}` };
  }
  const message = checkAttribute(key);
  if (message !== null) return { isKey: true, message: explain(hasValues ? "values" : "notValues", key, message) };
  if (action === "CUSTOM" && (CUSTOM_REFUSES.includes(key) || key.startsWith("request.auth."))) {
    return { isKey: true, message: `${key} is currently not supported with CUSTOM action` };
  }
  return null;
}

const PLAIN_KEYS = [
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.principal",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "destination.ip",
  "destination.port",
  "connection.sni",
];

function checkAttribute(key: string): string | null {
  if (PLAIN_KEYS.includes(key)) return null;
  const bad = `bad key (${key}): should have format a[b]`;
  if (key.startsWith(HEADERS)) return parseBracketedName(key.slice(HEADERS.length)) === null ? bad : null;
  if (key.startsWith(CLAIMS)) return parseClaimBrackets(key.slice(CLAIMS.length)) === null ? bad : null;
  if (key.startsWith(FILTERS)) return parseFilterKey(key) === null ? bad : null;
  if (key === "destination.namespace") return `attribute ${key} is replaced by the metadata.namespace`;
  if (key.startsWith("destination.labels")) return `attribute ${key} is replaced by the workload selector`;
  if (key === "destination.name" || key === "destination.user") {
    return `deprecated attribute ${key}: only supported in v1alpha1`;
  }
  return `unknown attribute: ${key}`;
}

function translateKey(key: string, lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  switch (key) {
    case "source.ip":
      return ip("sourceIp", lists, scope);
    case "remote.ip":
      return ip("remoteIp", lists, scope);
    case "destination.ip":
      return ip("destinationIp", lists, scope);
    case "destination.port":
      return conditionOf(readLists(lists, parsePort, scope.findings), (compared) => ({
        attribute: "destinationPort",
        ...compared,
      }));
    case "connection.sni":
      return conditionOf(readLists(lists, parseString, scope.findings), (compared) => ({
        attribute: "sni",
        ...compared,
      }));
    case "source.principal":
      return peer("sourcePrincipal", lists, scope);
    case "source.namespace":
      return peer("sourceNamespace", lists, scope);
    case "source.serviceAccount":
      return peer("sourceServiceAccount", lists, scope);
    case "source.trustDomain":
      return peer("sourceTrustDomain", lists, scope);
    case "request.auth.principal":
      return conditionOf(readLists(lists, parseRequestPrincipal, scope.findings), (compared) => ({
        attribute: "requestPrincipal",
        ...compared,
      }));
    case "request.auth.audiences":
      return claim(["aud"], lists, scope);
    case "request.auth.presenter":
      return claim(["azp"], lists, scope);
    default:
      return translateBracketedKey(key, lists, scope);
  }
}

function translateBracketedKey(key: string, lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  const header = key.startsWith(HEADERS) ? parseBracketedName(key.slice(HEADERS.length)) : null;
  if (header !== null) {
    const name = header.toLowerCase();
    const compared = readLists(lists, parseString, scope.findings);
    return conditionOf(compared, (condition) => ({ attribute: "header", name, ...condition }));
  }
  const path = key.startsWith(CLAIMS) ? parseClaimBrackets(key.slice(CLAIMS.length)) : null;
  if (path !== null) return claim(path, lists, scope);
  const metadata = parseFilterKey(key);
  if (metadata === null) return BROKEN;
  const compared = readLists(lists, parseFilterMetadata, scope.findings);
  return conditionOf(compared, (condition) => ({ attribute: "filterMetadata", ...metadata, ...condition }));
}

/** `experimental.envoy.filters.a.b[c]` is key `c` of the metadata namespace `envoy.filters.a.b`. */
function parseFilterKey(key: string): Pick<FilterMetadataCondition, "filter" | "key"> | null {
  if (!key.startsWith(FILTERS) || !key.endsWith("]")) return null;
  const open = key.indexOf("[");
  const name = key.slice(open + 1, -1);
  return open <= FILTERS.length || name === "" ? null : { filter: key.slice("experimental.".length, open), key: name };
}

function claim(path: ClaimCondition["path"], lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  const compared = readLists(lists, parseString, scope.findings);
  return conditionOf(compared, (condition) => ({ attribute: "claim", path, ...condition }));
}

function ip(attribute: IpCondition["attribute"], lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  return conditionOf(readLists(lists, parseIpRange, scope.findings), (compared) => ({ attribute, ...compared }));
}

function peer(attribute: PeerCondition["attribute"], lists: ConditionLists, scope: RuleScope): TranslatedConditions {
  const parse = (text: string, name: string) => {
    if (attribute === "sourceServiceAccount") return parseServiceAccount(text, name, scope.namespace);
    return attribute === "sourceTrustDomain" ? parseTrustDomain(text, name) : parseVerbatim(text);
  };
  return conditionOf(readLists(lists, parse, scope.findings), (compared) => ({ attribute, ...compared }));
}
