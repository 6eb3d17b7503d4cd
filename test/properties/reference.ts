import { BlockList, isIPv6 } from "node:net";
import { TEST_ISSUER } from "../support/jwt.ts";
import type { Fields, Request, Rule, Spec, When } from "./policies.ts";
import { USERS } from "./policies.ts";

/**
 * What Istio's documents say about a request, read word by word: slow, without index, without preparation, and without a line of the
 * engine. It knows the fields that `policies.ts` makes.
 */
export function referenceAllows(all: readonly Spec[], request: Request): boolean {
  const policies = all.filter(({ reach, isDryRun }) => !isDryRun && ["namespace", "root", "selected"].includes(reach));
  const matches = ({ rules }: Spec): boolean => rules.some((rule) => ruleMatches(rule, request));
  if (policies.some((policy) => policy.action === "DENY" && matches(policy))) return false;
  const allows = policies.filter((policy) => policy.action === "ALLOW");
  return allows.length === 0 || allows.some(matches);
}

function ruleMatches({ from, to, when }: Rule, request: Request): boolean {
  return (
    (from === undefined || from.some(({ source }) => fieldsMatch(source, request))) &&
    (to === undefined || to.some(({ operation }) => fieldsMatch(operation, request))) &&
    (when === undefined || when.every((condition) => conditionMatches(condition, request)))
  );
}

function fieldsMatch(fields: Fields, request: Request): boolean {
  return Object.entries(fields).every(([name, values]) => {
    const negated = /^not([A-Z].*)$/.exec(name)?.[1];
    if (negated === undefined) return values.some((value) => fieldMatches(name, value, request));
    const field = negated.charAt(0).toLowerCase() + negated.slice(1);
    return !values.some((value) => fieldMatches(field, value, request));
  });
}

function conditionMatches({ key, values, notValues }: When, request: Request): boolean {
  const isValue = values === undefined || values.some((value) => keyMatches(key, value, request));
  return isValue && !(notValues ?? []).some((value) => keyMatches(key, value, request));
}

function fieldMatches(field: string, value: string, request: Request): boolean {
  switch (field) {
    case "principals":
      return principalMatches(value, request.principal ?? "");
    case "namespaces":
      return namespaceMatches(value, request.principal ?? "");
    case "serviceAccounts":
      return serviceAccountMatches(value, request.principal ?? "");
    case "trustDomains":
      return trustDomainMatches(value, request.principal ?? "");
    case "requestPrincipals":
      return requestPrincipalMatches(value, request);
    case "ipBlocks":
      return isInBlock(request.sourceAddress ?? "", value);
    case "remoteIpBlocks":
      return isInBlock(remoteIp(request), value);
    case "hosts":
      return textMatches(value.toLowerCase(), (request.host ?? "").toLowerCase());
    case "ports":
      return value === String(request.destinationPort);
    case "methods":
      return textMatches(value, request.method ?? "");
    case "paths":
      return pathMatches(value, (request.path ?? "").split("?")[0] ?? "");
    default:
      throw new Error(`field ${field}`);
  }
}

function keyMatches(key: string, value: string, request: Request): boolean {
  const [, kind = "", names = ""] = /^([a-zA-Z.]+)(\[.*\])?$/.exec(key) ?? [];
  const path = names.slice(1, -1).split("][");
  switch (kind) {
    case "request.headers":
      return headerLines(request).some(
        ([name, line]) =>
          name === path[0]?.toLowerCase().replace(/^host$/, ":authority") &&
          (value === "*" || textMatches(value, line)),
      );
    case "request.auth.claims":
      return claimMatches(path, value, request);
    case "request.auth.principal":
      return requestPrincipalMatches(value, request);
    case "request.auth.audiences":
      return claimMatches(["aud"], value, request);
    case "request.auth.presenter":
      return claimMatches(["azp"], value, request);
    case "source.ip":
      return isInBlock(request.sourceAddress ?? "", value);
    case "remote.ip":
      return isInBlock(remoteIp(request), value);
    case "source.namespace":
      return namespaceMatches(value, request.principal ?? "");
    case "source.serviceAccount":
      return serviceAccountMatches(value, request.principal ?? "");
    case "source.trustDomain":
      return trustDomainMatches(value, request.principal ?? "");
    case "source.principal":
      return principalMatches(value, request.principal ?? "");
    case "destination.port":
      return value === String(request.destinationPort);
    case "destination.ip":
      return isInBlock("10.0.0.2", value);
    case "connection.sni":
      return textMatches(value, request.sni ?? "");
    default:
      throw new Error(`key ${key}`);
  }
}

/** Exact, prefix, suffix; a lone star needs at least one character. */
function textMatches(pattern: string, text: string): boolean {
  if (pattern === "*") return text !== "";
  if (pattern.endsWith("*")) return text.startsWith(pattern.slice(0, -1));
  return pattern.startsWith("*") ? text.endsWith(pattern.slice(1)) : text === pattern;
}

function pathMatches(pattern: string, path: string): boolean {
  if (!pattern.includes("{")) return textMatches(pattern, path);
  // The literal parts of the templates and the paths of the requests hold nothing that would tell Istio's characters from any.
  const regex = pattern.replaceAll("{**}", ".*").replaceAll("{*}", "[^/]+");
  return new RegExp(`^${regex}$`).test(path);
}

function headerLines(request: Request): readonly (readonly [string, string])[] {
  const isUser = USERS[request.user] !== null;
  return [
    [":authority", request.host ?? ""],
    [":method", request.method ?? ""],
    [":path", request.path ?? ""],
    ...(isUser ? [["authorization", "Bearer (token)"] as const] : []),
    ...(request.headers ?? []).map(([name, value]) => [name, String(value).trim()] as const),
  ];
}

function principalMatches(pattern: string, identity: string): boolean {
  if (identity === "") return false;
  if (pattern === "*") return true;
  return identity.startsWith("spiffe://") && textMatches(pattern, identity.replace("spiffe://", ""));
}

/** `namespace/account` */
function serviceAccountMatches(value: string, identity: string): boolean {
  const [, namespace, account] = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(identity) ?? [];
  return value === `${namespace}/${account}`;
}

function trustDomainMatches(pattern: string, identity: string): boolean {
  const trustDomain = /^spiffe:\/\/([^/]+)\//.exec(identity)?.[1];
  return trustDomain !== undefined && textMatches(pattern, trustDomain);
}

function namespaceMatches(pattern: string, identity: string): boolean {
  const namespace = /\/ns\/([^/]+)\//.exec(identity)?.[1];
  return namespace !== undefined && (pattern === "*" || textMatches(pattern, namespace));
}

/** Issuer and subject apart: the pattern is split at its last slash, the star is at the ends of the whole. */
function requestPrincipalMatches(pattern: string, request: Request): boolean {
  const claims = USERS[request.user];
  if (claims === null || claims === undefined || typeof claims["sub"] !== "string") return false;
  const subject = claims["sub"];
  if (pattern === "*") return subject !== "";
  const slash = pattern.lastIndexOf("/");
  if (slash < 0 && pattern.endsWith("*")) return TEST_ISSUER.startsWith(pattern.slice(0, -1)) && subject !== "";
  if (slash < 0 && pattern.startsWith("*")) return subject.endsWith(pattern.slice(1));
  if (slash < 0) return TEST_ISSUER === pattern && subject === "";
  const issuer = pattern.slice(0, slash);
  const isIssuer = issuer.startsWith("*") ? TEST_ISSUER.endsWith(issuer.slice(1)) : TEST_ISSUER === issuer;
  return isIssuer && textMatches(pattern.slice(slash + 1), subject);
}

/** A text that fits, or a list with a text that does. Words of `scope` are a list. */
function claimMatches(path: readonly string[], pattern: string, request: Request): boolean {
  let value: unknown = USERS[request.user];
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    value = new Map(Object.entries(value)).get(name);
  }
  const list = path[0] === "scope" && typeof value === "string" ? value.split(" ") : value;
  const texts: readonly unknown[] = Array.isArray(list) ? list : [list];
  return texts.some((text) => typeof text === "string" && textMatches(pattern, text));
}

/** A sidecar believes the last address that x-forwarded-for names. */
function remoteIp(request: Request): string {
  const lines = (request.headers ?? [])
    .filter(([name]) => name === "x-forwarded-for")
    .map(([, value]) => String(value));
  return lines.length === 0 ? (request.sourceAddress ?? "") : (lines.join(",").split(",").at(-1) ?? "").trim();
}

function isInBlock(address: string, block: string): boolean {
  const [network = "", bits] = block.split("/");
  const list = new BlockList();
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  list.addSubnet(network, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(address.split("%")[0] ?? "", isIPv6(address) ? "ipv6" : "ipv4");
}
