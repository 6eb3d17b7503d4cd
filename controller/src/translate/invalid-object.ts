import type { AuthorizationPolicy, Labels, ObjectMeta, PolicyResource, PolicyTarget } from "@gatehouse/protos";
import type { InvalidObject } from "../resources/object.ts";
import type { TranslateContext } from "./context.ts";
import { isDryRun } from "./dry-run.ts";
import { resolveGateway } from "./gateway-name.ts";
import { qualifyHost } from "./host-name.ts";
import { toCreatedAtMs } from "./object-meta.ts";
import { type Translated, toReport } from "./report.ts";

/**
 * Makes a resource of an object that failed its schema and has no last good version. It is marked unenforceable, with as much of its
 * scope as can be read: servers deny, reject tokens or answer 404 there. What can't be read counts as wide.
 */
export function translateInvalid(object: InvalidObject, context: TranslateContext): Translated {
  const { kind, namespace, name, errors } = object;
  const spec = member(object.raw, "spec");
  const metadata = member(object.raw, "metadata");
  const annotations = member(metadata, "annotations");
  const [first] = errors;
  const meta: ObjectMeta = {
    namespace,
    name,
    createdAtMs: toCreatedAtMs(text(member(metadata, "creationTimestamp"))),
    minReaderVersion: 1,
    unenforceable: first === undefined ? "not valid" : `${first.path}: ${first.message}`,
  };
  const ref = { kind, namespace, name };
  const diagnostics = errors.map(({ path, message }) => ({ path, message, reason: "Invalid" as const }));
  const report = toReport(ref, diagnostics.length > 0 ? diagnostics : [invalidObject()]);
  return { resources: [toResource(kind, meta, { spec, annotations }, context)], report, keySources: [] };
}

function invalidObject() {
  return { path: "", message: "the object is not valid", reason: "Invalid" as const };
}

function toResource(
  kind: InvalidObject["kind"],
  meta: ObjectMeta,
  raw: { readonly spec: unknown; readonly annotations: unknown },
  context: TranslateContext,
): PolicyResource {
  const { spec, annotations } = raw;
  switch (kind) {
    case "RequestAuthentication":
      return { kind, meta, target: readTarget(spec), jwtRules: [] };
    case "AuthorizationPolicy": {
      const action = readAction(spec);
      const dryRun = (action === "ALLOW" || action === "DENY") && isObject(annotations) && isDryRun(annotations);
      const provider = text(member(member(spec, "provider"), "name"));
      return { kind, meta, target: readTarget(spec), action, dryRun, provider, rules: [] };
    }
    case "VirtualService": {
      const hosts = texts(member(spec, "hosts")).map((host) =>
        qualifyHost(host.toLowerCase(), meta.namespace, context.dnsSuffix),
      );
      const gateways = texts(member(spec, "gateways")).map((gateway) => resolveGateway(gateway, meta.namespace));
      return {
        kind,
        meta,
        hosts,
        gateways,
        exportTo: texts(member(spec, "exportTo")),
        http: [],
        keepsHosts: true,
        refusedHosts: [],
      };
    }
    case "Gateway":
      return { kind, meta, selector: readLabels(member(spec, "selector")) ?? [], servers: [] };
  }
}

/** A selector counts only when it is whole and alone: anything less is the whole namespace. */
function readTarget(spec: unknown): PolicyTarget {
  const matchLabels = readLabels(member(member(spec, "selector"), "matchLabels"));
  const hasRefs = member(spec, "targetRef") !== undefined || member(spec, "targetRefs") !== undefined;
  if (matchLabels === null || matchLabels.length === 0 || hasRefs) return { kind: "namespace" };
  const isPlain = matchLabels.every(({ name, value }) => name !== "" && !name.includes("*") && !value.includes("*"));
  return isPlain ? { kind: "selector", matchLabels } : { kind: "namespace" };
}

/** Whatever can't be read counts as DENY. */
function readAction(spec: unknown): AuthorizationPolicy["action"] {
  const action = member(spec, "action") ?? "ALLOW";
  return action === "ALLOW" || action === "AUDIT" || action === "CUSTOM" ? action : "DENY";
}

/** @returns null unless every value is a text */
function readLabels(value: unknown): Labels | null {
  if (!isObject(value)) return null;
  const labels: { readonly name: string; readonly value: string }[] = [];
  for (const [name, label] of Object.entries(value)) {
    if (typeof label !== "string") return null;
    labels.push({ name, value: label });
  }
  return labels;
}

function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
