import type { CidrRange, Condition, RequestPrincipalMatch, StringMatch } from "@gatehouse/protos";
import type { Redactor } from "./redactor.ts";

type Side = "values" | "notValues";

/** The values of a condition as the policy has them; a header that holds secrets is not compared with them in the open. */
export function expectedTexts(condition: Condition, side: Side, redactor: Redactor): readonly string[] {
  switch (condition.attribute) {
    case "header":
      return condition[side].map((match) => headerMatchText(condition.name, match, redactor));
    case "host":
    case "method":
    case "sni":
    case "claim":
      return condition[side].map(matchText);
    case "path":
      return condition[side].map((match) => (match.kind === "template" ? match.value : matchText(match)));
    case "sourceIp":
    case "remoteIp":
    case "destinationIp":
      return condition[side].map(rangeText);
    case "destinationPort":
      return condition[side].map(String);
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain":
      return condition[side];
    case "requestPrincipal":
      return condition[side].map(principalText);
    case "filterMetadata":
      return condition[side].map(({ list, match }) => (list ? `[${matchText(match)}]` : matchText(match)));
  }
}

/** A match in the notation of AuthorizationPolicy; a regular expression between slashes. */
export function matchText(match: StringMatch): string {
  switch (match.kind) {
    case "exact":
      return match.value;
    case "prefix":
      return `${match.value}*`;
    case "suffix":
      return `*${match.value}`;
    case "regex":
      return `/${match.value}/`;
    case "present":
      return "*";
  }
}

/** A match of a header. @param name in lower case */
export function headerMatchText(name: string, match: StringMatch, redactor: Redactor): string {
  return match.kind === "exact" ? redactor.header(name, match.value) : matchText(match);
}

/** A single address stands without its prefix length. */
function rangeText({ address, prefixLength }: CidrRange): string {
  const isOne = prefixLength === (address.includes(":") ? 128 : 32);
  return isOne ? address : `${address}/${prefixLength}`;
}

function principalText({ issuer, subject }: RequestPrincipalMatch): string {
  return issuer.kind === "present" && subject.kind === "present" ? "*" : `${matchText(issuer)}/${matchText(subject)}`;
}
