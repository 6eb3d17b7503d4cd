import type { AuthorizationPolicy, Condition } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { compileRules, type PreparedRule } from "./rule-matcher.ts";
import { meshConfig } from "./testdata/mesh.ts";

const mesh = meshConfig();

describe("policies that are equal in content", () => {
  it("share the compiled rule, whatever their names are", () => {
    const [a, b] = [compiled("a", [paths("/cart")]), compiled("b", [paths("/cart")])];
    expect(a.ref.name).toBe("a");
    expect(b.ref.name).toBe("b");
    expect(b.parts).toBe(a.parts);
    expect(b.matches).toBe(a.matches);
  });

  it("share it where policies are many", () => {
    const names = Array.from({ length: 9000 }, (_, i) => `/orders/${i}`);
    const first = names.map((name) => compiled("first", [paths(name)]));
    const second = names.map((name) => compiled("second", [paths(name)]));
    expect(second.every(({ parts }, i) => parts === first[i]?.parts)).toBe(true);
  });

  it("share the conditions that are equal, of rules that are not", () => {
    const a = compiled("a", [paths("/cart"), methods("GET")]);
    const b = compiled("b", [paths("/cart"), methods("POST")]);
    expect(b.parts).not.toBe(a.parts);
    expect(b.parts.to[0]?.[0]).toBe(a.parts.to[0]?.[0]);
    expect(b.parts.to[0]?.[1]).not.toBe(a.parts.to[0]?.[1]);
  });

  it.each<[string, Partial<AuthorizationPolicy>]>([
    ["of another action, where doubt counts the other way", { action: "DENY" }],
    [
      "that asks for all instead of one",
      { rules: [{ index: 0, from: [], to: [[paths("/a")], [paths("/b")]], when: [] }] },
    ],
    ["that asks elsewhere", { rules: [{ index: 0, from: [[paths("/a"), paths("/b")]], to: [], when: [] }] }],
    ["without conditions", { rules: [{ index: 0, from: [], to: [], when: [] }] }],
  ])("share nothing with one %s", (_what, fields) => {
    const a = compiled("a", [paths("/a"), paths("/b")]);
    const [b] = compileRules({ ...policy("b", [paths("/a"), paths("/b")]), ...fields }, mesh, 0);
    expect(b?.parts).not.toBe(a.parts);
    expect(b?.matches).not.toBe(a.matches);
  });

  it("share nothing under another MeshConfig, which may say what they mean", () => {
    const a = compiled("a", [paths("/cart")]);
    const [b] = compileRules(policy("a", [paths("/cart")]), meshConfig(), 0);
    expect(b?.parts.to[0]?.[0]).not.toBe(a.parts.to[0]?.[0]);
  });
});

function compiled(name: string, operation: readonly Condition[]): PreparedRule {
  const [rule] = compileRules(policy(name, operation), mesh, 0);
  if (rule === undefined) throw new Error("no rule");
  return rule;
}

function policy(name: string, operation: readonly Condition[]): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace: "foo", name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    target: { kind: "namespace" },
    action: "ALLOW",
    dryRun: false,
    provider: "",
    rules: [{ index: 0, from: [], to: [operation], when: [] }],
  };
}

function paths(value: string): Condition {
  return { attribute: "path", field: "to[0].operation.paths", values: [{ kind: "exact", value }], notValues: [] };
}

function methods(value: string): Condition {
  return { attribute: "method", field: "to[0].operation.methods", values: [{ kind: "exact", value }], notValues: [] };
}
