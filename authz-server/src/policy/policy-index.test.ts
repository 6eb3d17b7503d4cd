import { type MeshConfig, type PolicyResource, type PolicyTarget, resourceName } from "@gatehouse/protos";
import fc from "fast-check";
import { expect, it } from "vitest";
import { evaluate } from "../authz/evaluate.ts";
import { readingsOf } from "../authz/readings.ts";
import { attributes, authorizationPolicy } from "../authz/testdata/arbitraries.ts";
import type { PolicyIndex } from "./policy-index.ts";
import { prepare } from "./prepare.ts";
import { GATEWAY_NAME_LABEL } from "./selection.ts";
import { meshConfig } from "./testdata/mesh.ts";
import { parseWorkload, type Workload } from "./workload.ts";

const WORKLOADS: readonly Workload[] = [
  ["foo", "app=x"],
  ["foo", "app=x,version=v1"],
  ["foo", `app=y,${GATEWAY_NAME_LABEL}=g`],
  ["istio-system", "app=x"],
  ["bar", ""],
].flatMap(([namespace = "", labels = ""]) => parseWorkload({ namespace, labels, gateways: "", serverPort: "" }) ?? []);

const label = fc.constantFrom(
  { name: "app", value: "x" },
  { name: "app", value: "y" },
  { name: "version", value: "v1" },
);
const target: fc.Arbitrary<PolicyTarget> = fc.oneof(
  fc.constant({ kind: "namespace" as const }),
  fc.record({ kind: fc.constant("selector" as const), matchLabels: fc.array(label, { maxLength: 2 }) }),
  fc.constant({
    kind: "targetRefs" as const,
    refs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "g", namespace: "" }],
  }),
);
const policy = fc.tuple(authorizationPolicy, target).map(([one, aim]) => ({ ...one, target: aim }));
const mesh: fc.Arbitrary<MeshConfig> = fc
  .record({
    rootNamespace: fc.constantFrom("istio-system", "bar"),
    strictPaths: fc.boolean(),
    trustDomainAliases: fc.constantFrom([], ["td"]),
  })
  .map(meshConfig);
const update = fc.record({
  policies: fc.uniqueArray(policy, { maxLength: 6, size: "max", selector: resourceName }),
  mesh: fc.option(mesh, { freq: 4 }),
  removed: fc.array(fc.tuple(fc.constantFrom("foo", "istio-system"), fc.integer({ min: 0, max: 40 })), {
    maxLength: 6,
  }),
});

function next(index: PolicyIndex | null, upserts: readonly PolicyResource[], removed: readonly string[]): PolicyIndex {
  const prepared = prepare(index, { upserts, removed }, new Map());
  if (!prepared.ok) throw new Error("not prepared");
  return prepared.index;
}

it("says after any changes what an index says that was made of what is left", () => {
  const given = fc.record({
    first: fc.uniqueArray(policy, { minLength: 20, maxLength: 40, size: "max", selector: resourceName }),
    updates: fc.array(update, { minLength: 1, maxLength: 5 }),
    requests: fc.array(attributes, { minLength: 1, maxLength: 6 }),
  });
  let denied = 0;
  fc.assert(
    fc.property(given, ({ first, updates, requests }) => {
      const held = new Map<string, PolicyResource>([meshConfig(), ...first].map((one) => [resourceName(one), one]));
      let index = next(null, [...held.values()], []);
      for (const change of updates) {
        const upserts = [...change.policies, ...(change.mesh === null ? [] : [change.mesh])];
        const news = new Set(upserts.map(resourceName));
        const removed = change.removed
          .map(([namespace, name]) => `AuthorizationPolicy/${namespace}/${name}`)
          .filter((name) => !news.has(name));
        for (const name of removed) held.delete(name);
        for (const one of upserts) held.set(resourceName(one), one);
        index = next(index, upserts, removed);
        const fresh = next(null, [...held.values()], []);
        for (const workload of WORKLOADS) {
          const [was, is] = [fresh.select(workload), index.select(workload)];
          for (const request of requests) {
            const readings = readingsOf(was, request);
            const expected = evaluate(was.enforced, readings).kind;
            denied += Number(expected === "denied");
            expect(evaluate(is.enforced, readingsOf(is, request)).kind).toBe(expected);
            expect(
              new Set(is.audit.all(readings).map(({ ref, index: at }) => `${ref.namespace}/${ref.name} ${at}`)),
            ).toEqual(
              new Set(was.audit.all(readings).map(({ ref, index: at }) => `${ref.namespace}/${ref.name} ${at}`)),
            );
            expect(is.custom.map(({ name, rules }) => [name, rules.first(readings) === undefined])).toEqual(
              was.custom.map(({ name, rules }) => [name, rules.first(readings) === undefined]),
            );
          }
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(denied).toBeGreaterThan(100);
}, 60_000);
