import type { AuthorizationMatch, FilterMetadataCondition, RequestPrincipalMatch } from "@gatehouse/protos";
import { broken, type Parsed, parsed } from "./parsed.ts";
import { toRequestPrincipalMatch } from "./request-principal.ts";
import { toStringMatch } from "./string-match.ts";

/** Any text is a valid string match. */
export function parseString(text: string): Parsed<AuthorizationMatch> {
  return parsed(toStringMatch(text));
}

/** Any text is a valid request principal, however odd. */
export function parseRequestPrincipal(text: string): Parsed<RequestPrincipalMatch> {
  return parsed(toRequestPrincipalMatch(text));
}

/** Principals and namespaces travel as written: their patterns depend on the mesh's trust domains. */
export function parseVerbatim(text: string): Parsed<string> {
  return parsed(text);
}

/** A decimal port of 0-65535. */
export function parsePort(text: string): Parsed<number> {
  if (!/^[0-9]{1,10}$/.test(text)) return broken(`bad port (${text}): invalid syntax`);
  const port = Number(text);
  return port <= 65_535 ? parsed(port) : broken(`bad port (${text}): must be 0-65535`);
}

/** `account` or `namespace/account`; the former is in the namespace of the policy. @returns `namespace/account` */
export function parseServiceAccount(text: string, name: string, policyNamespace: string): Parsed<string> {
  if (text.includes("*")) return broken(`wildcard not allowed, found in ${name}`);
  if (text.length > 320) return broken(`value cannot exceed 320 characters, found ${text.length} in ${name}`);
  const parts = text.split("/");
  if (parts.length > 2 || parts.includes("")) {
    return broken(`expected format 'serviceAccount' or 'namespace/serviceAccount', found ${text}`);
  }
  return parsed(parts.length === 2 ? text : `${policyNamespace}/${text}`);
}

/** A trust domain, with at most one star at either end. */
export function parseTrustDomain(text: string, name: string): Parsed<string> {
  const where = `found in ${name}: "${text}"`;
  const stars = text.split("*").length - 1;
  if (stars > 1) return broken(`at most one wildcard is allowed, ${where}`);
  if (stars === 1 && !text.startsWith("*") && !text.endsWith("*")) {
    return broken(`wildcard is only allowed at the start or end, ${where}`);
  }
  return text.includes("/") ? broken(`trust domain must not contain '/', ${where}`) : parsed(text);
}

/** `[v]` asks for an element of a list, `v` for a string. All brackets at both ends go, as in Istio. */
export function parseFilterMetadata(text: string): Parsed<FilterMetadataCondition["values"][number]> {
  const isList = text.startsWith("[") && text.endsWith("]");
  const match = toStringMatch(isList ? text.replace(/^[[\]]+|[[\]]+$/g, "") : text);
  return parsed({ list: isList, match });
}
