import type { AuthorizationPolicy, PolicyResource } from "@gatehouse/protos";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PolicyChange } from "../../authz-server/src/discovery/apply.ts";
import type { HeldResource } from "../../authz-server/src/discovery/policy-snapshot.ts";
import { createPolicyReceiver, held } from "../support/policy-receiver.ts";
import { FUZZ_TIMEOUT_MS, fuzz } from "./fuzz.ts";
import { MESH } from "./mesh.ts";

function policy(name: string, action: "ALLOW" | "DENY"): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace: "foo", name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    target: { kind: "namespace" },
    action,
    dryRun: false,
    provider: "",
    // An ALLOW that never matches, a DENY that always does: with any of them in force nothing is allowed.
    rules: action === "ALLOW" ? [] : [{ index: 0, from: [], to: [], when: [] }],
  };
}

const NAMES = ["a", "b", "c", "d"];
const good: readonly HeldResource[] = NAMES.flatMap((name) => [
  held(policy(name, "ALLOW")),
  held(policy(name, "DENY")),
]);
const keeper = held(policy("keeper", "ALLOW"));
const newer: PolicyResource = {
  ...policy("newer", "DENY"),
  meta: { ...policy("newer", "DENY").meta, minReaderVersion: 99 },
};

/** A resource, whole or damaged in one of the ways of a bad network, a bad disk or a bad controller. */
const resource: fc.Arbitrary<HeldResource> = fc
  .tuple(fc.constantFrom(...good, held(MESH), held(newer)), fc.nat(40), fc.nat(10_000))
  .map(([one, damage, at]) => {
    switch (damage) {
      case 0:
        return { ...one, bytes: one.bytes.subarray(0, at % (one.bytes.length + 1)) };
      case 1:
        return { ...one, version: "0" };
      case 2:
        return { ...one, name: "AuthorizationPolicy/foo/other" };
      case 3:
        return {
          ...one,
          bytes: Uint8Array.from(one.bytes, (byte, i) => (i === at % one.bytes.length ? byte ^ 1 : byte)),
        };
      default:
        return one;
    }
  });
const change: fc.Arbitrary<Omit<PolicyChange, "setVersion">> = fc.record({
  upserts: fc.array(resource, { maxLength: 4 }),
  removed: fc.array(fc.constantFrom(...good.map(({ name }) => name), held(MESH).name, "nonsense", ""), {
    maxLength: 2,
  }),
});

test(
  "no order of whole, damaged, doubled or contradictory changes opens what is closed, or is taken in part",
  async () => {
    await fuzz(fc.array(change, { maxLength: 5 }), async (changes) => {
      const receiver = createPolicyReceiver();
      await receiver.apply({ setVersion: "first", upserts: [held(MESH), keeper], removed: [] });
      let expected = new Map([held(MESH), keeper].map((one) => [one.name, one]));
      for (const [i, { upserts, removed }] of changes.entries()) {
        const verdict = await receiver.apply({ setVersion: `${i}`, upserts, removed });
        if (verdict.kind === "applied") {
          expected = new Map([...expected, ...upserts.map((one) => [one.name, one] as const)]);
          for (const name of removed) expected.delete(name);
          expect(receiver.snapshot()?.setVersion).toBe(`${i}`);
        } else expect(verdict.errors.length).toBeGreaterThan(0);
        const snapshot = receiver.snapshot();
        expect(new Map(snapshot?.resources.map((one) => [one.name, one.version]))).toEqual(
          new Map(Array.from(expected.values(), (one) => [one.name, one.version])),
        );
      }
      expect((await receiver.check())?.code).toBe(7);
    });
  },
  FUZZ_TIMEOUT_MS,
);
