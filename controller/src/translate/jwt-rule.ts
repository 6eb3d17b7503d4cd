import type { ClaimToHeader, JwtRule, KeySet } from "@gatehouse/protos";
import type { JWTRule } from "../resources/gen/types.ts";
import { checkDuration } from "./duration.ts";
import { isHeaderName, isReservedHeader } from "./header-name.ts";
import { remoteKeySet, translateInlineJwks } from "./jwks.ts";
import type { Findings } from "./report.ts";
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
): { readonly rule: JwtRule; readonly keySet: KeySet } {
  const locations = translateLocations(rule, path, findings);
  const outputs = translateOutputs(rule, path, findings);
  const payloadHeader = translatePayloadHeader(rule, path, findings);
  const keySet = translateKeys(rule, path, hash, findings);
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
  };
}

/** Inline keys win. A rule without any source of keys has a key set that stays unavailable: its tokens are rejected. */
function translateKeys(rule: JWTRule, path: string, hash: (text: string) => string, findings: Findings): KeySet {
  const issuer = rule.issuer ?? "";
  const uriField = rule.jwksUri ? "jwksUri" : "jwks_uri";
  const uri = rule[uriField] ?? "";
  if (issuer === "" && uri === "") findings.invalid(`${path}.issuer`, "issuer or jwksUri must be non-empty string");
  if (rule.jwks && uri !== "") findings.invalid(`${path}.${uriField}`, "only one of jwks or jwksUri can be set");
  if (uri !== "") checkUri(uri, `${path}.${uriField}`, findings);
  if (rule.jwks) return translateInlineJwks(rule.jwks, `${path}.jwks`, hash, findings);
  return remoteKeySet(issuer, uri, hash);
}

function checkUri(uri: string, path: string, findings: Findings): void {
  const [, scheme, rest = ""] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(uri) ?? [];
  if (scheme === undefined) findings.invalid(path, `URI scheme "" is not supported`);
  else if (!/^https?$/i.test(scheme)) findings.invalid(path, `URI scheme "${scheme}" is not supported`);
  else if (!/^\/\/[^\s/?#@]+([/?#]\S*)?$/.test(rest))
    findings.invalid(path, "URI must have a host and no user, blanks or control characters");
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
