import type { ClaimToHeader, JwtRule, RequestAuthentication, TokenLocation } from "../model/jwt.ts";
import { enumCodec } from "./enum-codec.ts";
import type { JwtRule as WireRule, JwtRule__Output as WireRuleOutput } from "./gen/gatehouse/policy/v1/JwtRule.ts";
import type {
  RequestAuthentication as Wire,
  RequestAuthentication__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/RequestAuthentication.ts";
import type {
  TokenLocation as WireLocation,
  TokenLocation__Output as WireLocationOutput,
} from "./gen/gatehouse/policy/v1/TokenLocation.ts";
import { readMeta, readTarget, writeMeta, writeTarget } from "./object.ts";
import { onlyCase, readList, required } from "./shape.ts";

const presence = enumCodec({ OPTIONAL: "PRESENCE_OPTIONAL", REQUIRED: "PRESENCE_REQUIRED" } as const);

/** Writes a RequestAuthentication. */
export function writeRequestAuthentication(model: RequestAuthentication): Wire {
  return {
    meta: writeMeta(model.meta),
    target: writeTarget(model.target),
    jwtRules: model.jwtRules.map(writeRule),
  };
}

/** Reads a RequestAuthentication. */
export function readRequestAuthentication(
  wire: WireOutput,
  minReaderVersion: number,
  path: string,
): RequestAuthentication {
  return {
    kind: "RequestAuthentication",
    meta: readMeta(wire.meta, minReaderVersion, `${path}.meta`),
    target: readTarget(wire.target, `${path}.target`),
    jwtRules: readList(wire.jwtRules, `${path}.jwtRules`, readRule),
  };
}

function writeRule(rule: JwtRule): WireRule {
  return {
    issuer: rule.issuer,
    audiences: [...rule.audiences],
    locations: rule.locations.map(writeLocation),
    keySet: rule.keySet,
    outputPayloadToHeader: rule.outputPayloadToHeader,
    outputClaimToHeaders: rule.outputClaimToHeaders.map(copyClaimToHeader),
    forwardOriginalToken: rule.forwardOriginalToken,
    spaceDelimitedClaims: [...rule.spaceDelimitedClaims],
    presence: presence.encode(rule.presence),
    invalid: rule.invalid,
  };
}

function readRule(wire: WireRuleOutput, path: string): JwtRule {
  return {
    issuer: wire.issuer,
    audiences: wire.audiences,
    locations: readList(wire.locations, `${path}.locations`, readLocation),
    keySet: wire.keySet,
    outputPayloadToHeader: wire.outputPayloadToHeader,
    outputClaimToHeaders: wire.outputClaimToHeaders.map(copyClaimToHeader),
    forwardOriginalToken: wire.forwardOriginalToken,
    spaceDelimitedClaims: wire.spaceDelimitedClaims,
    presence: presence.decode(wire.presence, `${path}.presence`),
    invalid: wire.invalid,
  };
}

function writeLocation(location: TokenLocation): WireLocation {
  switch (location.kind) {
    case "header":
      return { header: { name: location.name, prefix: location.prefix } };
    case "param":
      return { param: location.name };
    case "cookie":
      return { cookie: location.name };
  }
}

function readLocation(wire: WireLocationOutput, path: string): TokenLocation {
  const kind = onlyCase(wire, ["header", "param", "cookie"], path);
  if (kind !== "header") return { kind, name: required(wire[kind], path) };
  const { name, prefix } = required(wire.header, path);
  return { kind, name, prefix };
}

function copyClaimToHeader({ header, claim }: ClaimToHeader): { header: string; claim: string[] } {
  return { header, claim: [...claim] };
}
