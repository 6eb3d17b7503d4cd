import type { AuthorizationMatch, Condition, MeshConfig, PathMatch, RequestPrincipalMatch } from "@gatehouse/protos";
import { asciiLowerCase, headerLineName, toByteString } from "../http-request.ts";
import {
  claimDimension,
  HEADER_NAMES,
  HOST,
  HOST_READINGS,
  headerDimension,
  ISSUER,
  METHOD,
  PATH,
  PEER,
  PORT,
  SNI,
  SUBJECT,
} from "./dimensions.ts";
import { type ConditionKeys, conditionKeys, type Parts } from "./match-keys.ts";
import { peerKeys } from "./peer-matcher.ts";
import type { PreparedCondition, PreparedRule } from "./rule-matcher.ts";
import type { Encode } from "./string-matcher.ts";
import type { TextKey } from "./text-index.ts";

/**
 * What a rule can be found by. `notValues` never count.
 * @param mesh decides how hosts and peers are read
 */
export function partsOfRule({ parts }: PreparedRule, mesh: MeshConfig): Parts {
  const keys = (conditions: readonly PreparedCondition[]): readonly ConditionKeys[] =>
    conditions.flatMap(({ condition }) => {
      const found = keysOf(condition, mesh);
      return found === undefined ? [] : [found];
    });
  const lists: Parts = [parts.to.map(keys), parts.from.map(keys)];
  const complete = lists.filter((list) => list.length > 0 && list.every((alternative) => alternative.length > 0));
  return [...complete, ...keys(parts.when).map((found) => [[found]])];
}

function keysOf(condition: Condition, mesh: MeshConfig): ConditionKeys | undefined {
  if (condition.values.length === 0) return undefined;
  switch (condition.attribute) {
    case "path":
      return conditionKeys(PATH, condition.values.map(pathKey));
    case "host":
      return conditionKeys(mesh.strictPaths ? HOST_READINGS : HOST, condition.values.map(textKey(hostBytes)));
    case "method":
      return conditionKeys(METHOD, condition.values.map(textKey(toByteString)));
    case "sni":
      return conditionKeys(SNI, condition.values.map(textKey(toByteString)));
    case "header":
      return headerKeys(headerLineName(condition.name), condition.values);
    case "claim":
      return conditionKeys(claimDimension(condition.path), condition.values.map(textKey(asIs)));
    case "requestPrincipal":
      return condition.values.some(({ subject }) => subject.kind === "present")
        ? conditionKeys(ISSUER, condition.values.map(issuerKey))
        : conditionKeys(SUBJECT, condition.values.map(subjectKey));
    case "destinationPort":
      return conditionKeys(
        PORT,
        condition.values.map((port) => ({ kind: "exact", value: String(port) })),
      );
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain":
      return conditionKeys(PEER, peerKeys(condition.attribute, condition.values, mesh) ?? []);
    case "sourceIp":
    case "remoteIp":
    case "destinationIp":
    case "filterMetadata":
      return undefined;
  }
}

/** Where one of the values is the presence of the header, its name is all there is to look for. */
function headerKeys(lineName: string, values: readonly AuthorizationMatch[]): ConditionKeys | undefined {
  if (values.some(({ kind }) => kind === "present")) {
    return conditionKeys(HEADER_NAMES, [{ kind: "exact", value: lineName }]);
  }
  return conditionKeys(headerDimension(lineName), values.map(textKey(toByteString)));
}

function textKey(encode: Encode): (match: AuthorizationMatch) => TextKey | undefined {
  return (match) => (match.kind === "present" ? undefined : { kind: match.kind, value: encode(match.value) });
}

function pathKey(match: PathMatch): TextKey | undefined {
  return match.kind === "template" ? templateKey(toByteString(match.value)) : textKey(toByteString)(match);
}

/** A template without any literal before its `{**}` is found by what stands behind it. */
function templateKey(template: string): TextKey | undefined {
  const [head = ""] = template.split("{**}", 1);
  if (head.split("/").some((segment) => segment !== "" && !segment.includes("{*}"))) {
    return { kind: "template", value: template };
  }
  const tail = template.split("}").at(-1) ?? "";
  return tail.length > 1 ? { kind: "suffix", value: tail } : undefined;
}

function subjectKey({ subject }: RequestPrincipalMatch): TextKey | undefined {
  return textKey(asIs)(subject);
}

function issuerKey({ issuer }: RequestPrincipalMatch): TextKey | undefined {
  return textKey(asIs)(issuer);
}

function hostBytes(host: string): string {
  return asciiLowerCase(toByteString(host));
}

// Claims are texts, not bytes: both sides were decoded from UTF-8.
function asIs(text: string): string {
  return text;
}
