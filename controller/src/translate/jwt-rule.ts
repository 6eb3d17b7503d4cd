import type { ClaimToHeader, JwtRule, KeySet } from "@gatehouse/protos";
import type { JWTRule } from "../resources/gen/types.ts";
import { checkDuration, parseDurationMs } from "./duration.ts";
import { isHeaderName, isReservedHeader } from "./header-name.ts";
import { remoteKeySet, translateInlineJwks } from "./jwks.ts";
import type { Findings, KeySource } from "./report.ts";
import { countLocations, translateLocations } from "./token-locations.ts";

/**
 * Translates one entry of `jwtRules`, with the key set that verifies its tokens. A rule that can't be compiled keeps its place and says so
 * in `invalid`: tokens at its locations are rejected rather than ignored.
 */
export function translateJwtRule(
  rule: JWTRule,
  path: string,
  hash: (text: string) => string,
  findings: Findings,
): { readonly rule: JwtRule; readonly keySet: KeySet; readonly keySource: KeySource | null } {
  const locations = translateLocations(rule, path, findings);
  const outputs = translateOutputs(rule, path, findings);
  const payloadHeader = translatePayloadHeader(rule, path, findings);
  const { keySet, keySource } = translateKeys(rule, path, hash, findings);
  checkValues(rule, path, findings);
  const brokenParts = [
    locations.length < countLocations(rule) ? "a token location" : "",
    outputs.length < (rule.outputClaimToHeaders?.length ?? 0) ? "outputClaimToHeaders" : "",
    payloadHeader === null ? "outputPayloadToHeader" : "",
  ].filter((part) => part !== "");
  return {
    rule: {
      issuer: rule.issuer ?? "",
      audiences: rule.audiences ?? [],
      locations,
      keySet: keySet.name,
      outputPayloadToHeader: payloadHeader ?? "",
      outputClaimToHeaders: outputs,
      forwardOriginalToken: rule.forwardOriginalToken ?? false,
      spaceDelimitedClaims: rule.spaceDelimitedClaims ?? [],
      presence: rule.presence ?? "OPTIONAL",
      invalid: brokenParts.length === 0 ? "" : `${path}: ${brokenParts.join(", ")} can't be used`,
    },
    keySet,
    keySource,
  };
}

interface Keys {
  readonly keySet: KeySet;
  /** null: nothing to fetch. */
  readonly keySource: KeySource | null;
}

/** Istio's default for one attempt, and the longest that one may take here. */
const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 60_000;

/** Inline keys win. A rule without any source of keys has a key set that stays unavailable: its tokens are rejected. */
function translateKeys(rule: JWTRule, path: string, hash: (text: string) => string, findings: Findings): Keys {
  const issuer = rule.issuer ?? "";
  const uriField = rule.jwksUri ? "jwksUri" : "jwks_uri";
  const uri = rule[uriField] ?? "";
  if (issuer === "" && uri === "") findings.invalid(`${path}.issuer`, "issuer or jwksUri must be non-empty string");
  const isAmbiguous = rule.jwksUri && rule.jwks_uri;
  if ((rule.jwks && uri !== "") || isAmbiguous) {
    findings.invalid(`${path}.${uriField}`, "only one of jwks or jwksUri can be set");
  }
  const problem = uri === "" ? null : checkUri(uri);
  if (problem !== null) findings.invalid(`${path}.${uriField}`, problem);
  if (rule.jwks) return { keySet: translateInlineJwks(rule.jwks, `${path}.jwks`, hash, findings), keySource: null };
  const keySet = remoteKeySet(issuer, uri, hash);
  if (problem !== null) return { keySet, keySource: null };
  if (uri === "" && checkUri(issuer) !== null) {
    if (issuer !== "") findings.warn(`${path}.issuer`, "no jwks and no jwksUri, and no URL that leads to keys");
    return { keySet, keySource: null };
  }
  return { keySet, keySource: { keySet: keySet.name, issuer, uri, timeoutMs: timeoutMs(rule) } };
}

/** @returns why it can't be fetched, or null */
function checkUri(uri: string): string | null {
  const [, scheme, rest = ""] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(uri) ?? [];
  if (scheme === undefined) return `URI scheme "" is not supported`;
  if (!/^https?$/i.test(scheme)) return `URI scheme "${scheme}" is not supported`;
  if (/^\/\/[^\s/?#@]+([/?#]\S*)?$/.test(rest)) return null;
  return "URI must have a host and no user, blanks or control characters";
}

function timeoutMs({ timeout }: JWTRule): number {
  if (timeout == null || checkDuration(timeout) !== null) return DEFAULT_TIMEOUT_MS;
  return Math.min(parseDurationMs(timeout) ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
}

function checkValues(rule: JWTRule, path: string, findings: Findings): void {
  for (const [i, audience] of (rule.audiences ?? []).entries()) {
    if (audience === "") findings.invalid(`${path}.audiences[${i}]`, "audience must be non-empty string");
  }
  const message = rule.timeout == null ? null : checkDuration(rule.timeout);
  if (message !== null) findings.invalid(`${path}.timeout`, message);
}

function translateOutputs(rule: JWTRule, path: string, findings: Findings): readonly ClaimToHeader[] {
  const outputs: ClaimToHeader[] = [];
  for (const [i, output] of (rule.outputClaimToHeaders ?? []).entries()) {
    const where = `${path}.outputClaimToHeaders[${i}]`;
    const message = checkOutput(output);
    if (message === null) outputs.push({ header: output.header.toLowerCase(), claim: output.claim.split(".") });
    else findings.invalid(output == null ? where : `${where}.header`, message);
  }
  return outputs;
}

function checkOutput(output: { readonly header: string; readonly claim: string } | null): string | null {
  if (output === null) return "outputClaimToHeaders must not be null";
  const { header, claim } = output;
  if (!header || !claim) return "outputClaimToHeaders header and claim value must be non-empty string";
  if (!/^[-_A-Za-z0-9]+$/.test(header)) return `header name ${header} is not a valid header name`;
  return checkReserved(header);
}

/** @returns null when the name can't be used */
function translatePayloadHeader(rule: JWTRule, path: string, findings: Findings): string | null {
  const name = rule.outputPayloadToHeader ?? "";
  if (name === "") return "";
  const message = isHeaderName(name) ? checkReserved(name) : `header name ${name} is not a valid header name`;
  if (message === null) return name.toLowerCase();
  findings.invalid(`${path}.outputPayloadToHeader`, message);
  return null;
}

function checkReserved(name: string): string | null {
  if (!isReservedHeader(name.toLowerCase())) return null;
  return `header name ${name} is reserved: choose another name for the copied claim`;
}
