import { expect, it } from "vitest";
import { createPolicyTarget } from "./policy-target.ts";

const SINK = { upsert() {}, invalid() {}, delete() {}, setProblems() {}, synced() {} };

it.each([200, 5_000, 200_000])(
  "reads an object that is nested in %i levels as invalid, and whom it concerns",
  (levels) => {
    const deep: unknown = JSON.parse("[".repeat(levels) + "]".repeat(levels));
    const selector = { matchLabels: { app: "x" } };
    const object = {
      metadata: { namespace: "foo", name: "deep", resourceVersion: "1" },
      spec: { selector, rules: deep },
    };
    const target = createPolicyTarget("AuthorizationPolicy", "kubernetes", SINK, null);
    const { parsed } = target.read(object, { apiVersion: "security.istio.io/v1", path: "" });
    expect(parsed).toMatchObject({
      kind: "invalid",
      object: { namespace: "foo", name: "deep", errors: [{ path: "spec" }], raw: { spec: { selector } } },
    });
    expect(parsed.object).not.toHaveProperty("raw.spec.rules");
  },
);
