import type { CidrRange, Condition, FilterMetadataCondition, RequestPrincipalMatch } from "../model/authorization.ts";
import { enumCodec } from "./enum-codec.ts";
import type {
  CidrRange as WireCidr,
  CidrRange__Output as WireCidrOutput,
} from "./gen/gatehouse/policy/v1/CidrRange.ts";
import type { Condition as Wire, Condition__Output as WireOutput } from "./gen/gatehouse/policy/v1/Condition.ts";
import type { FilterMetadataMatch__Output } from "./gen/gatehouse/policy/v1/FilterMetadataMatch.ts";
import type { RequestPrincipalMatch__Output } from "./gen/gatehouse/policy/v1/RequestPrincipalMatch.ts";
import { uint32 } from "./numbers.ts";
import { invalid, onlyCase, readList, required } from "./shape.ts";
import { readAuthorizationMatch, readPathMatch, writeMatch } from "./string-match.ts";

const attributes = enumCodec({
  header: "ATTRIBUTE_HEADER",
  host: "ATTRIBUTE_HOST",
  method: "ATTRIBUTE_METHOD",
  sni: "ATTRIBUTE_SNI",
  path: "ATTRIBUTE_PATH",
  sourceIp: "ATTRIBUTE_SOURCE_IP",
  remoteIp: "ATTRIBUTE_REMOTE_IP",
  destinationIp: "ATTRIBUTE_DESTINATION_IP",
  destinationPort: "ATTRIBUTE_DESTINATION_PORT",
  sourcePrincipal: "ATTRIBUTE_SOURCE_PRINCIPAL",
  sourceNamespace: "ATTRIBUTE_SOURCE_NAMESPACE",
  sourceServiceAccount: "ATTRIBUTE_SOURCE_SERVICE_ACCOUNT",
  sourceTrustDomain: "ATTRIBUTE_SOURCE_TRUST_DOMAIN",
  requestPrincipal: "ATTRIBUTE_REQUEST_PRINCIPAL",
  claim: "ATTRIBUTE_CLAIM",
  filterMetadata: "ATTRIBUTE_FILTER_METADATA",
} as const satisfies Record<Condition["attribute"], string>);

const COMPARISONS = ["strings", "ipRanges", "ports", "texts", "requestPrincipals", "filterMetadata"] as const;

/** Writes one condition. */
export function writeCondition(condition: Condition): Wire {
  const common = { field: condition.field, attribute: attributes.encode(condition.attribute) };
  switch (condition.attribute) {
    case "header":
      return { ...common, name: condition.name, strings: compared(condition, writeMatch) };
    case "claim":
      return { ...common, claimPath: [...condition.path], strings: compared(condition, writeMatch) };
    case "host":
    case "method":
    case "sni":
    case "path":
      return { ...common, strings: compared(condition, writeMatch) };
    case "sourceIp":
    case "remoteIp":
    case "destinationIp":
      return { ...common, ipRanges: compared(condition, writeCidr) };
    case "destinationPort":
      return { ...common, ports: compared(condition, (port) => uint32(port, condition.field)) };
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain":
      return { ...common, texts: compared(condition, (text) => text) };
    case "requestPrincipal":
      return { ...common, requestPrincipals: compared(condition, writePrincipal) };
    case "filterMetadata": {
      const { filter, key } = condition;
      return { ...common, name: filter, key, filterMetadata: compared(condition, writeMetadataMatch) };
    }
  }
}

/** Reads one condition. The comparison must be the one that goes with the attribute. */
export function readCondition(wire: WireOutput, path: string): Condition {
  const { field } = wire;
  onlyCase(wire, COMPARISONS, path);
  const attribute = attributes.decode(wire.attribute, `${path}.attribute`);
  requireOwnParameters(attribute, wire, path);
  switch (attribute) {
    case "header":
      return { attribute, field, name: wire.name, ...readCompared(wire.strings, path, readAuthorizationMatch) };
    case "claim":
      return { attribute, field, path: wire.claimPath, ...readCompared(wire.strings, path, readAuthorizationMatch) };
    case "host":
    case "method":
    case "sni":
      return { attribute, field, ...readCompared(wire.strings, path, readAuthorizationMatch) };
    case "path":
      return { attribute, field, ...readCompared(wire.strings, path, readPathMatch) };
    case "sourceIp":
    case "remoteIp":
    case "destinationIp":
      return { attribute, field, ...readCompared(wire.ipRanges, path, readCidr) };
    case "destinationPort":
      return { attribute, field, ...readCompared(wire.ports, path, asIs) };
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain":
      return { attribute, field, ...readCompared(wire.texts, path, asIs) };
    case "requestPrincipal":
      return { attribute, field, ...readCompared(wire.requestPrincipals, path, readPrincipal) };
    case "filterMetadata": {
      const compared = readCompared(wire.filterMetadata, path, readMetadataMatch);
      return { attribute, field, filter: wire.name, key: wire.key, ...compared };
    }
  }
}

/** A parameter that the attribute does not have was meant for something: never ignore it. */
function requireOwnParameters(attribute: Condition["attribute"], wire: WireOutput, path: string): void {
  const hasName = attribute === "header" || attribute === "filterMetadata";
  if (wire.name !== "" && !hasName) throw invalid(`${path}.name`, `does not go with ${attribute}`);
  if (wire.key !== "" && attribute !== "filterMetadata") throw invalid(`${path}.key`, `does not go with ${attribute}`);
  if (wire.claimPath.length > 0 && attribute !== "claim") {
    throw invalid(`${path}.claimPath`, `does not go with ${attribute}`);
  }
}

interface Comparison<Value> {
  readonly values: readonly Value[];
  readonly notValues: readonly Value[];
}

function compared<Model, Value>(
  { values, notValues }: Comparison<Model>,
  write: (value: Model) => Value,
): { values: Value[]; notValues: Value[] } {
  return { values: values.map(write), notValues: notValues.map(write) };
}

function readCompared<Value, Model>(
  wire: Comparison<Value> | null | undefined,
  path: string,
  read: (value: Value, path: string) => Model,
): Comparison<Model> {
  if (wire === null || wire === undefined) throw invalid(path, "has the comparison of another attribute");
  return {
    values: readList(wire.values, `${path}.values`, read),
    notValues: readList(wire.notValues, `${path}.notValues`, read),
  };
}

function asIs<Value>(value: Value): Value {
  return value;
}

function writeCidr(range: CidrRange): WireCidr {
  return { address: range.address, prefixLength: uint32(range.prefixLength, "prefixLength") };
}

function readCidr({ address, prefixLength }: WireCidrOutput): CidrRange {
  return { address, prefixLength };
}

function writePrincipal(match: RequestPrincipalMatch): {
  issuer: ReturnType<typeof writeMatch>;
  subject: ReturnType<typeof writeMatch>;
} {
  return { issuer: writeMatch(match.issuer), subject: writeMatch(match.subject) };
}

function readPrincipal(wire: RequestPrincipalMatch__Output, path: string): RequestPrincipalMatch {
  return {
    issuer: readAuthorizationMatch(required(wire.issuer, `${path}.issuer`), `${path}.issuer`),
    subject: readAuthorizationMatch(required(wire.subject, `${path}.subject`), `${path}.subject`),
  };
}

type MetadataMatch = FilterMetadataCondition["values"][number];

function writeMetadataMatch({ list, match }: MetadataMatch): { list: boolean; match: ReturnType<typeof writeMatch> } {
  return { list, match: writeMatch(match) };
}

function readMetadataMatch(wire: FilterMetadataMatch__Output, path: string): MetadataMatch {
  return { list: wire.list, match: readAuthorizationMatch(required(wire.match, `${path}.match`), `${path}.match`) };
}
