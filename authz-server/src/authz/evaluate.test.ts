import { type MeshConfig, resourceName } from "@gatehouse/protos";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PolicyIndex } from "../policy/policy-index.ts";
import { type PolicyUpdate, prepare } from "../policy/prepare.ts";
import type { PreparedRule } from "../policy/rule-matcher.ts";
import { meshConfig } from "../policy/testdata/mesh.ts";
import { parseWorkload } from "../policy/workload.ts";
import { authorizationPoliciesOf, type WorkloadPolicy } from "../policy/workload-policy.ts";
import type { RequestAttributes } from "./attributes.ts";
import { evaluate, type Verdict } from "./evaluate.ts";
import { readingsOf } from "./readings.ts";
import { attributes, authorizationPolicy, mesh } from "./testdata/arbitraries.ts";

const workload = parseWorkload({ namespace: "foo", labels: "app=x", gateways: "", serverPort: "" });

// First many at once, then one or two at a time: what is indexed, and what is kept beside the index.
const updates: fc.Arbitrary<readonly PolicyUpdate[]> = fc
  .tuple(
    fc.uniqueArray(authorizationPolicy, { minLength: 10, maxLength: 40, size: "max", selector: resourceName }),
    fc.array(fc.uniqueArray(authorizationPolicy, { maxLength: 2, selector: resourceName }), { maxLength: 4 }),
    fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
  )
  .map(([first, later, removed]) => [
    { upserts: first, removed: [] },
    ...later.map((upserts) => ({ upserts, removed: [] })),
    { upserts: [], removed: removed.map((name) => `AuthorizationPolicy/foo/${name}`) },
  ]);

/** Asks every rule of every policy, one after the other. */
function plain(policy: WorkloadPolicy, readings: readonly RequestAttributes[]) {
  const policies = authorizationPoliciesOf(policy.applicable);
  const matching = (action: string, dryRun: boolean): readonly PreparedRule[] =>
    policies
      .filter((one) => one.action === action && one.dryRun === dryRun)
      .flatMap(({ rules }) => rules.filter(({ matches }) => readings.some(matches)));
  const verdict = (dryRun: boolean): Verdict => {
    const [deny] = matching("DENY", dryRun);
    if (deny !== undefined) return { kind: "denied", reason: "deny_policy", ref: deny.ref, rule: deny.index };
    const allows = policies.filter((one) => one.action === "ALLOW" && one.dryRun === dryRun);
    const isAllowed = readings.every((reading) =>
      allows.some(({ rules }) => rules.some((one) => one.matches(reading))),
    );
    if (allows.length === 0 || isAllowed) return { kind: "allowed" };
    return { kind: "denied", reason: "no_allow_policy", ref: null, rule: null };
  };
  return {
    enforced: verdict(false),
    dryRun: policies.some(({ dryRun }) => dryRun) ? verdict(true) : null,
    audit: matching("AUDIT", false),
    custom: matching("CUSTOM", false)[0],
  };
}

function indexed(policy: WorkloadPolicy, readings: readonly RequestAttributes[]): ReturnType<typeof plain> {
  return {
    enforced: evaluate(policy.enforced, readings),
    dryRun: policy.dryRun && evaluate(policy.dryRun, readings),
    audit: policy.audit.all(readings),
    custom: policy.custom[0]?.rules.first(readings),
  };
}

/** The policy of the workload after each update. */
function policiesAfter(settings: Partial<MeshConfig>, list: readonly PolicyUpdate[]): readonly WorkloadPolicy[] {
  let index: PolicyIndex | null = null;
  return [{ upserts: [meshConfig(settings)], removed: [] }, ...list].map((update) => {
    const prepared = prepare(index, update, new Map());
    if (!prepared.ok || workload === undefined) throw new Error("not prepared");
    index = prepared.index;
    return index.select(workload);
  });
}

describe("the rules that an index finds", () => {
  it("are those that asking each of them finds, after any changes of policy", () => {
    const given = fc.record({ updates, mesh, requests: fc.array(attributes, { minLength: 1, maxLength: 20 }) });
    let denied = 0;
    let audited = 0;
    fc.assert(
      fc.property(given, (input) => {
        for (const policy of policiesAfter(input.mesh, input.updates)) {
          for (const request of input.requests) {
            const readings = readingsOf(policy, request);
            const expected = plain(policy, readings);
            expect(indexed(policy, readings)).toEqual(expected);
            denied += Number(expected.enforced.kind === "denied");
            audited += expected.audit.length;
          }
        }
      }),
      { numRuns: 300 },
    );
    // The cases are about something.
    expect(Math.min(denied, audited)).toBeGreaterThan(100);
  }, 120_000);
});
