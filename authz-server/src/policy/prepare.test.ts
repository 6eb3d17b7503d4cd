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
    expect(after.set.namespaces.get("foo")?.get(b)).toBe(before.set.namespaces.get("foo")?.get(b));
    expect(after.set.keySets).toBe(before.set.keySets);
  });

  it("leaves the index before it as it was", () => {
    const before = next(null, [policy("foo", "a")]);
    next(before, [policy("foo", "b")], ["AuthorizationPolicy/foo/a"]);
    expect([...(before.set.namespaces.get("foo")?.keys() ?? [])]).toEqual(["AuthorizationPolicy/foo/a"]);
  });

  it("removes what it says, and shrugs at what is not there", () => {
    const before = next(null, [policy("foo", "a"), policy("foo", "b")]);
    const after = next(before, [], ["AuthorizationPolicy/foo/a", "AuthorizationPolicy/bar/x"]);
    expect([...(after.set.namespaces.get("foo")?.keys() ?? [])]).toEqual(["AuthorizationPolicy/foo/b"]);
  });

  it("compiles everything again for a new MeshConfig", () => {
    const before = next(null, [policy("foo", "a")]);
    const after = next(before, [meshConfig({ trustDomain: "td" })]);
    const a = "AuthorizationPolicy/foo/a";
    expect(after.set.mesh.trustDomain).toBe("td");
    expect(after.set.namespaces.get("foo")?.get(a)).not.toBe(before.set.namespaces.get("foo")?.get(a));
  });

  it("is refused whole, with the resource named, when a part can't be enforced", () => {
    const before = next(null, [policy("foo", "a")]);
    const prepared = prepare(before, { upserts: [policy("foo", "fine"), broken], removed: [] }, new Map());
    expect(prepared).toMatchObject({ ok: false, errors: [{ resource: "AuthorizationPolicy/foo/broken" }] });
    expect(before.set.namespaces.get("foo")?.size).toBe(1);
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
    const denied = (namespace: string) => index.select(workload(namespace)).enforced;
    expect([denied("foo").deny.length, denied("foo").allow]).toEqual([1, []]);
    expect([denied("bar").deny.length, denied("bar").allow]).toEqual([1, null]);
    expect(denied("root").deny).toHaveLength(1);
  });

  it("keeps policies in dry-run apart", () => {
    const index = next(null, [policy("foo", "dry", { dryRun: true })]);
    const selected = index.select(workload("foo"));
    expect([selected.enforced.allow, selected.dryRun?.allow]).toEqual([null, []]);
  });
});
