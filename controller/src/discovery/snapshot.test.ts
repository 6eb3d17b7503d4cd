import type { KeySet, PolicyResource, RequestAuthentication } from "@gatehouse/protos";
import { decodeResource, setVersion } from "@gatehouse/protos/wire";
import { describe, expect, it } from "vitest";
import { encode } from "./encode-resource.ts";
import { Snapshot, type SnapshotChange } from "./snapshot.ts";
import { authorizationPolicy, keySet, requestAuthentication } from "./testdata/resources.ts";

const KEYS = "KeySet//inline-1";

function snapshotOf(changes: Record<string, readonly PolicyResource[]>): Snapshot {
  const snapshot = new Snapshot();
  apply(snapshot, changes);
  return snapshot;
}

function apply(snapshot: Snapshot, changes: Record<string, readonly PolicyResource[]>): SnapshotChange {
  return snapshot.apply(new Map(Object.entries(changes).map(([owner, resources]) => [owner, resources.map(encode)])));
}

function decoded(snapshot: Snapshot, name: string): PolicyResource | undefined {
  const resource = snapshot.resources.get(name);
  return resource && decodeResource(resource.bytes);
}

describe("apply", () => {
  it("says what changed, by resource name", () => {
    const snapshot = new Snapshot();
    const first = apply(snapshot, { a: [authorizationPolicy("foo/a")] });
    expect(first).toEqual({ changed: ["AuthorizationPolicy/foo/a"], removed: [] });
    expect(decoded(snapshot, "AuthorizationPolicy/foo/a")).toEqual(authorizationPolicy("foo/a"));
    expect(apply(snapshot, { a: [] })).toEqual({
      changed: [],
      removed: ["AuthorizationPolicy/foo/a"],
    });
    expect(snapshot.resources.size).toBe(0);
  });

  it("counts equal content as no change", () => {
    const snapshot = snapshotOf({ a: [authorizationPolicy("foo/a")] });
    const { revision } = snapshot;
    expect(apply(snapshot, { a: [authorizationPolicy("foo/a")] })).toEqual({
      changed: [],
      removed: [],
    });
    expect(snapshot.revision).toBe(revision);
  });

  it("keeps a shared key set until the last object that yields it is gone", () => {
    const snapshot = snapshotOf({
      a: [requestAuthentication("foo/a"), keySet("inline-1")],
      b: [requestAuthentication("foo/b"), keySet("inline-1")],
    });
    expect(apply(snapshot, { a: [] }).removed).toEqual(["RequestAuthentication/foo/a"]);
    expect(snapshot.resources.has(KEYS)).toBe(true);
    apply(snapshot, { b: [requestAuthentication("foo/b")] });
    expect(snapshot.resources.has(KEYS)).toBe(false);
  });

  it("keeps a key set that moves from one object to another in one change", () => {
    const snapshot = snapshotOf({ a: [keySet("inline-1")] });
    expect(apply(snapshot, { a: [], b: [keySet("inline-1")] })).toEqual({ changed: [], removed: [] });
    expect(snapshot.resources.has(KEYS)).toBe(true);
  });

  it("counts a key set that one object yields twice once", () => {
    const snapshot = snapshotOf({ a: [keySet("inline-1"), keySet("inline-1")] });
    expect(apply(snapshot, { a: [] }).removed).toEqual([KEYS]);
  });
});

describe("version", () => {
  it("is that of the set, whatever way led there", () => {
    const snapshot = snapshotOf({ a: [authorizationPolicy("foo/a")], b: [keySet("inline-1")] });
    apply(snapshot, { a: [{ ...authorizationPolicy("foo/a"), action: "DENY" }] });
    apply(snapshot, { b: [] });
    const resources = [...snapshot.resources].map(([name, { version }]) => ({ name, version }));
    expect(resources).toHaveLength(1);
    expect(snapshot.version).toBe(setVersion(resources));
  });
});

describe("changedSince", () => {
  it("names what came, changed and went after a revision", () => {
    const snapshot = snapshotOf({ a: [authorizationPolicy("foo/a")], b: [keySet("inline-1")] });
    const { revision } = snapshot;
    expect(snapshot.changedSince(revision)).toEqual([]);
    apply(snapshot, { a: [{ ...authorizationPolicy("foo/a"), action: "DENY" }] });
    apply(snapshot, { b: [], c: [authorizationPolicy("foo/c")] });
    const changed = [...(snapshot.changedSince(revision) ?? [])].sort();
    expect(changed).toEqual(["AuthorizationPolicy/foo/a", "AuthorizationPolicy/foo/c", KEYS]);
    expect(snapshot.changedSince(revision + 1)).toHaveLength(2);
  });

  it("does not know of revisions that are too long ago, and never a part of one", () => {
    const snapshot = snapshotOf({ a: [authorizationPolicy("foo/a")] });
    const { revision } = snapshot;
    for (let i = 0; i < 600; i++) {
      apply(snapshot, { a: [authorizationPolicy(`foo/a${i}`)] }); // one comes, one goes
    }
    expect(snapshot.changedSince(revision)).toBe(null);
    expect(snapshot.changedSince(snapshot.revision - 500)).toHaveLength(1000);
    expect(snapshot.changedSince(snapshot.revision - 501)).toBe(null);
    expect(snapshot.changedSince(snapshot.revision)).toEqual([]);
  });

  it("knows only what came after a change larger than its memory", () => {
    const snapshot = new Snapshot();
    const many = Array.from({ length: 1001 }, (_, i) => authorizationPolicy(`foo/n${i}`));
    apply(snapshot, { many });
    expect(snapshot.changedSince(0)).toBe(null);
    expect(snapshot.changedSince(1)).toEqual([]);
    apply(snapshot, { a: [authorizationPolicy("foo/a")] });
    expect(snapshot.changedSince(1)).toEqual(["AuthorizationPolicy/foo/a"]);
    expect(snapshot.changedSince(0)).toBe(null);
  });
});

describe("unenforceable", () => {
  function marked(resource: PolicyResource): PolicyResource | string | null {
    const snapshot = snapshotOf({ a: [resource] });
    const name = [...snapshot.resources.keys()].join();
    const form = snapshot.unenforceable(name, "too new");
    return form === null || form === "withheld" ? form : decodeResource(form.bytes);
  }

  it("strips a policy to its scope, readable by the oldest server", () => {
    const policy = authorizationPolicy("foo/a");
    const newer = { ...policy, meta: { ...policy.meta, minReaderVersion: 7 } };
    expect(marked(newer)).toEqual({ ...policy, rules: [], meta: { ...policy.meta, unenforceable: "too new" } });
  });

  it("keeps where a RequestAuthentication finds tokens, and believes none of them", () => {
    const resource: RequestAuthentication = requestAuthentication("foo/a");
    expect(marked(resource)).toEqual({
      ...resource,
      meta: { ...resource.meta, unenforceable: "too new" },
      jwtRules: resource.jwtRules.map((rule) => ({ ...rule, invalid: "too new" })),
    });
  });

  it("makes a key set one that has no keys", () => {
    const expected: KeySet = { ...keySet("inline-1"), state: "unavailable", keys: [] };
    expect(marked(keySet("inline-1"))).toEqual(expected);
  });

  it("knows no form for what is not there", () => {
    expect(new Snapshot().unenforceable("AuthorizationPolicy/foo/a", "why")).toBe(null);
  });
});
