import { fieldOf } from "../../kubernetes/field-of.ts";
import type { ResourceKind } from "../../resources/gen/schemas.ts";
import type { FieldError, ObjectKey, Origin } from "../../resources/object.ts";
import { type ParsedObject, parseObject } from "../../resources/parse-object.ts";
import type { ObjectObserver, ObservedObject } from "../../status/object-observer.ts";
import type { Sink } from "../source.ts";
import type { Target } from "./reflector.ts";

/**
 * The largest `spec` that is taken, as JSON. An answer to an authz-server holds the whole policy in 64 MiB: whoever may write objects in
 * one namespace must not be able to fill that.
 */
export const MAX_SPEC_BYTES: number = 512 * 1024;

/** No schema of ours has a tenth of it. */
const MAX_SPEC_DEPTH = 100;

/** The only annotations that policy depends on; others would be kept for nothing, and their changes taken for changes of policy. */
const READ_ANNOTATIONS = ["istio.io/dry-run"];

/** What is kept of an object until it is delivered. */
export interface ReadPolicy {
  readonly parsed: Policy;
  readonly observed: ObservedObject;
}

type Policy = Extract<ParsedObject, { readonly kind: "valid" | "invalid" }>;

/** Gives the objects of one kind to the sink. @param source name for messages; @param observer hears of every version */
export function createPolicyTarget(
  kind: ResourceKind,
  source: string,
  sink: Sink,
  observer: ObjectObserver | null,
): Target<ReadPolicy> {
  const origin: Origin = { locate: () => source };
  return {
    identify(raw) {
      const { namespace, name, resourceVersion } = identityOf(raw);
      if (namespace === "" || name === "" || resourceVersion === "") return null;
      return { key: keyOf(kind, namespace, name), resourceVersion };
    },
    read: (raw, { apiVersion }) => readPolicy(kind, raw, apiVersion),
    apply(changed, removed) {
      for (const object of changed.values()) deliver(object);
      for (const key of removed) {
        const [, namespace = "", name = ""] = key.split("/");
        observer?.gone(keyOf(kind, namespace, name));
        sink.delete(keyOf(kind, namespace, name));
      }
    },
    position: (resourceVersion) => observer?.position(kind, resourceVersion),
  };

  function deliver({ parsed, observed }: ReadPolicy): void {
    observer?.seen(observed);
    if (parsed.kind === "valid") sink.upsert(parsed.object, origin);
    else sink.invalid(parsed.object, origin);
  }
}

function keyOf(kind: ResourceKind, namespace: string, name: string): ObjectKey {
  return `${kind}/${namespace}/${name}`;
}

function readPolicy(kind: ResourceKind, raw: unknown, apiVersion: string): ReadPolicy {
  const metadata = fieldOf(raw, "metadata");
  const { namespace, name, resourceVersion } = identityOf(raw);
  const parsed = parse(kind, slimObject(kind, raw, apiVersion));
  const generation = fieldOf(metadata, "generation");
  const observed: ObservedObject = {
    key: keyOf(kind, namespace, name),
    apiVersion,
    uid: textOf(fieldOf(metadata, "uid")),
    generation: typeof generation === "number" ? generation : 0,
    resourceVersion,
    errors: parsed.kind === "valid" ? [] : parsed.object.errors,
    status: fieldOf(raw, "status"),
  };
  return { parsed, observed };
}

function parse(kind: ResourceKind, document: SlimObject): Policy {
  const fail = (errors: readonly FieldError[], raw = document): Policy => {
    const { namespace, name } = document.metadata;
    return { kind: "invalid", object: { kind, namespace, name, errors, raw } };
  };
  if (isDeeperThan(document.spec, MAX_SPEC_DEPTH)) {
    const message = `is nested in more than ${MAX_SPEC_DEPTH} levels`;
    return fail([{ path: "spec", message }], { ...document, spec: withoutDeepMembers(document.spec) });
  }
  const size = JSON.stringify(document.spec ?? null).length;
  if (size > MAX_SPEC_BYTES) {
    const message = `has ${size} bytes as JSON, more than ${MAX_SPEC_BYTES}; split the object`;
    return fail([{ path: "spec", message }]);
  }
  const parsed = parseObject(document);
  switch (parsed.kind) {
    case "valid":
    case "invalid":
      return parsed;
    case "unidentified":
      return fail(parsed.errors);
    case "foreign":
    case "unrelated":
      return fail([{ path: "kind", message: `is no ${kind}` }]);
  }
}

/** What walks through an object does so by recursion, and would exhaust the stack. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** What is left says whom the object concerns. */
function withoutDeepMembers(spec: unknown): object {
  const members = typeof spec === "object" && spec !== null && !Array.isArray(spec) ? Object.entries(spec) : [];
  return Object.fromEntries(members.filter(([, value]) => !isDeeperThan(value, MAX_SPEC_DEPTH - 1)));
}

interface SlimObject {
  readonly apiVersion: unknown;
  readonly kind: unknown;
  readonly metadata: { readonly namespace: string; readonly name: string; readonly [field: string]: unknown };
  readonly spec?: unknown;
}

/** The object without what nobody reads: `managedFields` alone may be larger than all the rest. */
function slimObject(kind: ResourceKind, raw: unknown, apiVersion: string): SlimObject {
  const metadata = fieldOf(raw, "metadata");
  const spec = fieldOf(raw, "spec");
  const kept = ["labels", "creationTimestamp", "generation", "uid", "resourceVersion"].flatMap((name) => {
    const value = fieldOf(metadata, name);
    return value === undefined ? [] : [[name, value]];
  });
  const annotations = READ_ANNOTATIONS.flatMap((name) => {
    const value = fieldOf(fieldOf(metadata, "annotations"), name);
    return value === undefined ? [] : [[name, value]];
  });
  const { namespace, name } = identityOf(raw);
  return {
    apiVersion: fieldOf(raw, "apiVersion") ?? apiVersion,
    kind: fieldOf(raw, "kind") ?? kind,
    metadata: { ...Object.fromEntries(kept), annotations: Object.fromEntries(annotations), namespace, name },
    ...(spec === undefined ? {} : { spec }),
  };
}

interface NamedVersion {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

/** Empty texts where there is nothing. */
function identityOf(raw: unknown): NamedVersion {
  const metadata = fieldOf(raw, "metadata");
  return {
    namespace: textOf(fieldOf(metadata, "namespace")),
    name: textOf(fieldOf(metadata, "name")),
    resourceVersion: textOf(fieldOf(metadata, "resourceVersion")),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
