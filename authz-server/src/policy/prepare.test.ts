import type { AuthorizationPolicy, PolicyResource } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import type { PolicyIndex } from "./policy-index.ts";
import { type PolicyUpdate, prepare } from "./prepare.ts";
import { meshConfig } from "./testdata/mesh.ts";
import { parseWorkload, type Workload } from "./workload.ts";

function policy(namespace: string, name: string, fields: Partial<AuthorizationPolicy> = {}): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace, name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    target: { kind: "namespace" },
    action: "ALLOW",
    dryRun: false,
    provider: "",
    rules: [],
    ...fields,
  };
}

function target(app: string): AuthorizationPolicy["target"] {
  return { kind: "selector", matchLabels: [{ name: "app", value: app }] };
}

function next(
  previous: PolicyIndex | null,
  upserts: readonly PolicyResource[],
  removed: PolicyUpdate["removed"] = [],
): PolicyIndex {
  const prepared = prepare(previous, { upserts, removed }, new Map());
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors));
  return prepared.index;
}

function workload(namespace: string): Workload {
  const parsed = parseWorkload({ namespace, labels: "", gateways: "", serverPort: "" });
  if (parsed === undefined) throw new Error("no workload");
  return parsed;
}

const broken = policy("foo", "broken", {
  rules: [{ index: 0, from: [], to: [], when: [filterMetadata()] }],
});

// No controller sends it: AuthorizationPolicy knows no regular expressions.
function filterMetadata(): AuthorizationPolicy["rules"][number]["when"][number] {
  const match: { kind: "exact"; value: string } = JSON.parse('{ "kind": "regex", "value": "(" }');
  return {
    attribute: "filterMetadata",
    field: "",
    filter: "f",
    key: "k",
    values: [{ list: false, match }],
    notValues: [],
  };
}

describe("a change of policy", () => {
  it("touches the namespace it is about, and nothing else", () => {
    const before = next(null, [meshConfig(), policy("foo", "a"), policy("foo", "b"), policy("bar", "c")]);
    const after = next(before, [policy("foo", "a", { action: "DENY" })]);
    expect(after.set.namespaces.get("bar")).toBe(before.set.namespaces.get("bar"));
    expect(after.set.namespaces.get("foo")).not.toBe(before.set.namespaces.get("foo"));
    const b = "AuthorizationPolicy/foo/b";
    expect(after.set.namespaces.get("foo")?.policies.get(b)).toBe(before.set.namespaces.get("foo")?.policies.get(b));
    expect(after.set.keySets).toBe(before.set.keySets);
  });

  it("leaves the index before it as it was", () => {
    const before = next(null, [policy("foo", "a")]);
    next(before, [policy("foo", "b")], ["AuthorizationPolicy/foo/a"]);
    expect([...(before.set.namespaces.get("foo")?.policies.keys() ?? [])]).toEqual(["AuthorizationPolicy/foo/a"]);
  });

  it("removes what it says, and shrugs at what is not there", () => {
    const before = next(null, [policy("foo", "a"), policy("foo", "b")]);
    const after = next(before, [], ["AuthorizationPolicy/foo/a", "AuthorizationPolicy/bar/x"]);
    expect([...(after.set.namespaces.get("foo")?.policies.keys() ?? [])]).toEqual(["AuthorizationPolicy/foo/b"]);
  });

  it("compiles everything again for a new MeshConfig", () => {
    const before = next(null, [policy("foo", "a")]);
    const after = next(before, [meshConfig({ trustDomain: "td" })]);
    const a = "AuthorizationPolicy/foo/a";
    expect(after.set.mesh.trustDomain).toBe("td");
    expect(after.set.namespaces.get("foo")?.policies.get(a)).not.toBe(
      before.set.namespaces.get("foo")?.policies.get(a),
    );
  });

  it("is refused whole, with the resource named, when a part can't be enforced", () => {
    const before = next(null, [policy("foo", "a")]);
    const prepared = prepare(before, { upserts: [policy("foo", "fine"), broken], removed: [] }, new Map());
    expect(prepared).toMatchObject({ ok: false, errors: [{ resource: "AuthorizationPolicy/foo/broken" }] });
    expect(before.set.namespaces.get("foo")?.policies.size).toBe(1);
  });
});

describe("the policy of a workload", () => {
  it("is worked out once", () => {
    const index = next(null, [policy("foo", "a")]);
    expect(index.select(workload("foo"))).toBe(index.select(workload("foo")));
  });

  it("is that of its namespace and of the root namespace", () => {
    const index = next(null, [
      meshConfig({ rootNamespace: "root" }),
      policy("foo", "none"),
      policy("root", "deny", { action: "DENY", rules: [{ index: 0, from: [], to: [], when: [] }] }),
    ]);
    const found = (namespace: string) => {
      const { deny, allow } = index.select(workload(namespace)).enforced;
      return [deny.isEmpty, allow?.isEmpty ?? null];
    };
    expect(found("foo")).toEqual([false, true]);
    expect(found("bar")).toEqual([false, null]);
    expect(found("root")).toEqual([false, null]);
  });

  it("is used again after a change that is not about it", () => {
    const before = next(null, [policy("foo", "a"), policy("bar", "b"), policy("foo", "c", { target: target("c") })]);
    const selected = before.select(workload("foo"));
    expect(next(before, [policy("bar", "b", { action: "DENY" })]).select(workload("foo"))).toBe(selected);
    expect(next(before, [policy("foo", "c", { target: target("d") })]).select(workload("foo"))).toBe(selected);
    expect(next(before, [policy("foo", "a", { action: "DENY" })]).select(workload("foo"))).not.toBe(selected);
    expect(next(before, [meshConfig()]).select(workload("foo"))).not.toBe(selected);
  });

  it("holds the policies that select one of its labels, until they are removed", () => {
    const parsed = parseWorkload({ namespace: "foo", labels: "version=v1,app=c", gateways: "", serverPort: "" });
    if (parsed === undefined) throw new Error("no workload");
    const allows = (index: PolicyIndex) => index.select(parsed).enforced.allow !== null;
    const before = next(null, [
      policy("foo", "a", { target: target("c") }),
      policy("foo", "b", { target: target("d") }),
    ]);
    expect(allows(before)).toBe(true);
    const moved = next(before, [policy("foo", "a", { target: target("d") })]);
    expect(allows(moved)).toBe(false);
    const back = next(moved, [policy("foo", "b", { target: target("c") })]);
    expect(allows(back)).toBe(true);
    expect(allows(next(back, [], ["AuthorizationPolicy/foo/b"]))).toBe(false);
  });

  it("keeps policies in dry-run apart", () => {
    const index = next(null, [policy("foo", "dry", { dryRun: true })]);
    const selected = index.select(workload("foo"));
    expect([selected.enforced.allow, selected.dryRun?.allow?.isEmpty]).toEqual([null, true]);
  });
});
