import { fieldPath } from "./field-error.ts";
import { kindSchemas, type ResourceKind } from "./gen/schemas.ts";
import type { FieldError, InvalidObject, ResourceObject } from "./object.ts";
import { type Identity, validate } from "./schema.ts";

/** What a document turned out to be. */
export type ParsedObject =
  | { readonly kind: "valid"; readonly object: ResourceObject }
  | { readonly kind: "invalid"; readonly object: InvalidObject }
  /** Of an API or kind that Gatehouse does not read. */
  | { readonly kind: "foreign"; readonly what: string }
  /** No Kubernetes object at all: neither apiVersion nor kind. */
  | { readonly kind: "unrelated" }
  /** Meant for us, perhaps, but it can't be said which object it is. */
  | { readonly kind: "unidentified"; readonly errors: readonly FieldError[] };

/** Where an object lives when it does not say. */
export const DEFAULT_NAMESPACE = "default";

/**
 * Checks one parsed document against the schemas of crds/ and the rules of Kubernetes for metadata.
 * Unknown fields, wrong types and broken CEL rules make it invalid. `status` is ignored.
 */
export function parseObject(document: unknown): ParsedObject {
  if (!isRecord(document)) return { kind: "unrelated" };
  const { apiVersion, kind } = document;
  if (apiVersion === undefined && kind === undefined) return { kind: "unrelated" };
  if (typeof kind !== "string") return unidentified("kind", "required field is missing, or is no string");
  const schema = kindSchemas.find((candidate) => candidate.kind === kind);
  if (!schema) return parseUnknownKind(apiVersion, kind);
  if (isForeignGroup(apiVersion, schema.group)) return { kind: "foreign", what: `${apiVersion} ${kind}` };
  const identity = identityOf(document["metadata"]);
  if (!("name" in identity)) return { kind: "unidentified", errors: identity.errors };
  const proto = protoKeys(document, []).map((path) => ({ path, message: "field name not allowed" }));
  if (proto.length > 0) return invalid(schema.kind, identity, proto, document);
  const validated = validate(schema.kind, document, identity);
  if (validated.ok) return { kind: "valid", object: validated.object };
  return invalid(schema.kind, identity, validated.errors, document);
}

/** Kinds of the same API groups that Istio has and Gatehouse does not read. */
const otherIstioKinds = new Set([
  "DestinationRule",
  "EnvoyFilter",
  "PeerAuthentication",
  "ProxyConfig",
  "ServiceEntry",
  "Sidecar",
  "WorkloadEntry",
  "WorkloadGroup",
]);

/** A misspelt kind in one of our groups must not pass for somebody else's object: nobody would enforce it. */
function parseUnknownKind(apiVersion: unknown, kind: string): ParsedObject {
  if (typeof apiVersion !== "string") return unidentified("apiVersion", "required field is missing, or is no string");
  const group = apiVersion.split("/")[0];
  const isOurs = kindSchemas.some((schema) => schema.group === group);
  if (!isOurs || otherIstioKinds.has(kind)) return { kind: "foreign", what: `${apiVersion} ${kind}` };
  const known = kindSchemas.filter((schema) => schema.group === group).map((schema) => schema.kind);
  return unidentified("kind", `unknown kind ${JSON.stringify(kind)} of ${group}: must be ${known.join(" or ")}`);
}

/** Other projects have kinds of these names too. A slip in Istio's group, or no group, is not taken for one of them. */
function isForeignGroup(apiVersion: unknown, ours: string): apiVersion is string {
  const group = typeof apiVersion === "string" ? (apiVersion.split("/")[0] ?? "") : "";
  return group !== ours && group.includes(".") && !group.endsWith("istio.io");
}

function identityOf(metadata: unknown): Identity | { readonly errors: readonly FieldError[] } {
  const { name, namespace = DEFAULT_NAMESPACE } = isRecord(metadata) ? metadata : {};
  const errors: FieldError[] = [];
  if (!isDnsSubdomain(name))
    errors.push({ path: "metadata.name", message: "must be set, to lower-case letters, digits, '-' and '.'" });
  if (!isDnsLabel(namespace))
    errors.push({ path: "metadata.namespace", message: "must be lower-case letters, digits and '-'" });
  return isDnsSubdomain(name) && isDnsLabel(namespace) ? { name, namespace } : { errors };
}

function isDnsSubdomain(value: unknown): value is string {
  return typeof value === "string" && value.length <= 253 && value.split(".").every((part) => dnsLabel.test(part));
}

function isDnsLabel(value: unknown): value is string {
  return typeof value === "string" && value.length <= 63 && dnsLabel.test(value);
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Paths of keys that would change an object's prototype where a reader is careless. */
function protoKeys(value: unknown, segments: readonly string[]): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const path = [...segments, key];
    return key === "__proto__" ? [fieldPath({}, path)] : protoKeys(child, path);
  });
}

function invalid(kind: ResourceKind, id: Identity, errors: readonly FieldError[], raw: unknown): ParsedObject {
  return { kind: "invalid", object: { kind, namespace: id.namespace, name: id.name, errors, raw } };
}

function unidentified(path: string, message: string): ParsedObject {
  return { kind: "unidentified", errors: [{ path, message }] };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
