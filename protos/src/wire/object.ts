import type { Labels, ObjectMeta, PolicyTarget } from "../model/resource.ts";
import type { Label, Label__Output } from "./gen/gatehouse/policy/v1/Label.ts";
import type {
  ObjectMeta as WireMeta,
  ObjectMeta__Output as WireMetaOutput,
} from "./gen/gatehouse/policy/v1/ObjectMeta.ts";
import type {
  PolicyTarget as WireTarget,
  PolicyTarget__Output as WireTargetOutput,
} from "./gen/gatehouse/policy/v1/PolicyTarget.ts";
import { int64 } from "./numbers.ts";
import { exact, onlyCase, required } from "./shape.ts";

/** Writes what every object carries; `minReaderVersion` travels in the outer message. */
export function writeMeta(meta: ObjectMeta): WireMeta {
  return {
    namespace: meta.namespace,
    name: meta.name,
    createdAtMs: int64(meta.createdAtMs, "meta.createdAtMs"),
    unenforceable: meta.unenforceable,
  };
}

/** Reads what every object carries. @param minReaderVersion of the outer message */
export function readMeta(wire: WireMetaOutput | null, minReaderVersion: number, path: string): ObjectMeta {
  const meta = required(wire, path);
  return {
    namespace: meta.namespace,
    name: meta.name,
    createdAtMs: exact(meta.createdAtMs, `${path}.createdAtMs`),
    minReaderVersion,
    unenforceable: meta.unenforceable,
  };
}

/** Writes which workloads a policy applies to. */
export function writeTarget(target: PolicyTarget): WireTarget {
  switch (target.kind) {
    case "namespace":
      return { namespace: {} };
    case "selector":
      return { selector: { matchLabels: writeLabels(target.matchLabels) } };
    case "targetRefs":
      return {
        targetRefs: {
          refs: target.refs.map(({ group, kind, name, namespace }) => ({ group, kind, name, namespace })),
        },
      };
  }
}

/** Reads which workloads a policy applies to. */
export function readTarget(wire: WireTargetOutput | null, path: string): PolicyTarget {
  const target = required(wire, path);
  const kind = onlyCase(target, ["namespace", "selector", "targetRefs"], path);
  switch (kind) {
    case "namespace":
      return { kind };
    case "selector":
      return { kind, matchLabels: readLabels(required(target.selector, path).matchLabels) };
    case "targetRefs":
      return {
        kind,
        refs: required(target.targetRefs, path).refs.map(({ group, kind, name, namespace }) => ({
          group,
          kind,
          name,
          namespace,
        })),
      };
  }
}

/** Writes pairs in their order. */
export function writeLabels(labels: Labels): Label[] {
  return labels.map(({ name, value }) => ({ name, value }));
}

/** Reads pairs in their order. */
export function readLabels(wire: readonly Label__Output[]): Labels {
  return wire.map(({ name, value }) => ({ name, value }));
}
