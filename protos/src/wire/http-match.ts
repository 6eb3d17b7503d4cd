import type { ClaimMatch, HeaderMatch, HttpMatch } from "../model/routing.ts";
import type { StringMatch } from "../model/string-match.ts";
import type {
  ClaimMatch as WireClaim,
  ClaimMatch__Output as WireClaimOutput,
} from "./gen/gatehouse/policy/v1/ClaimMatch.ts";
import type { HttpMatch as Wire, HttpMatch__Output as WireOutput } from "./gen/gatehouse/policy/v1/HttpMatch.ts";
import type {
  NamedMatch as WireNamed,
  NamedMatch__Output as WireNamedOutput,
} from "./gen/gatehouse/policy/v1/NamedMatch.ts";
import { uint32 } from "./numbers.ts";
import { readLabels, writeLabels } from "./object.ts";
import { readList, readOptional, required } from "./shape.ts";
import { readStringMatch, writeMatch } from "./string-match.ts";

/** Writes one match entry. */
export function writeHttpMatch(match: HttpMatch): Wire {
  return {
    name: match.name,
    uri: writeOptional(match.uri),
    ignoreUriCase: match.ignoreUriCase,
    scheme: writeOptional(match.scheme),
    method: writeOptional(match.method),
    authority: writeOptional(match.authority),
    headers: match.headers.map(writeNamed),
    withoutHeaders: match.withoutHeaders.map(writeNamed),
    claims: match.claims.map(writeClaim),
    withoutClaims: match.withoutClaims.map(writeClaim),
    queryParams: match.queryParams.map(writeNamed),
    port: uint32(match.port, "http.match.port"),
    gateways: [...match.gateways],
    sourceLabels: writeLabels(match.sourceLabels),
    sourceNamespace: match.sourceNamespace,
  };
}

/** Reads one match entry. */
export function readHttpMatch(wire: WireOutput, path: string): HttpMatch {
  return {
    name: wire.name,
    uri: readOptional(wire.uri, `${path}.uri`, readStringMatch),
    ignoreUriCase: wire.ignoreUriCase,
    scheme: readOptional(wire.scheme, `${path}.scheme`, readStringMatch),
    method: readOptional(wire.method, `${path}.method`, readStringMatch),
    authority: readOptional(wire.authority, `${path}.authority`, readStringMatch),
    headers: readList(wire.headers, `${path}.headers`, readNamed),
    withoutHeaders: readList(wire.withoutHeaders, `${path}.withoutHeaders`, readNamed),
    claims: readList(wire.claims, `${path}.claims`, readClaim),
    withoutClaims: readList(wire.withoutClaims, `${path}.withoutClaims`, readClaim),
    queryParams: readList(wire.queryParams, `${path}.queryParams`, readNamed),
    port: wire.port,
    gateways: wire.gateways,
    sourceLabels: readLabels(wire.sourceLabels),
    sourceNamespace: wire.sourceNamespace,
  };
}

function writeOptional(match: StringMatch | null): ReturnType<typeof writeMatch> | null {
  return match === null ? null : writeMatch(match);
}

function writeNamed({ name, match }: HeaderMatch): WireNamed {
  return { name, match: writeMatch(match) };
}

function readNamed(wire: WireNamedOutput, path: string): HeaderMatch {
  return { name: wire.name, match: readStringMatch(required(wire.match, `${path}.match`), `${path}.match`) };
}

function writeClaim({ path, match }: ClaimMatch): WireClaim {
  return { path: [...path], match: writeMatch(match) };
}

function readClaim(wire: WireClaimOutput, path: string): ClaimMatch {
  return { path: wire.path, match: readStringMatch(required(wire.match, `${path}.match`), `${path}.match`) };
}
