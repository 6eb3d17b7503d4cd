import { beforeEach, describe, expect, it } from "vitest";
import type { ObjectKey } from "../resources/object.ts";
import { fairLevel } from "./fair-level.ts";
import { NamespaceQuota } from "./namespace-quota.ts";

let quota: NamespaceQuota;

beforeEach(() => {
  quota = new NamespaceQuota({ namespaceBytes: 800, totalBytes: 2_000 });
  quota.rootNamespace = "root";
});

function put(
  id: `${string}/${string}`,
  bytes: number,
  fields: { createdAtMs?: number; parts?: ReadonlyMap<string, number>; kind?: "Gateway" } = {},
) {
  const [namespace = "", name = ""] = id.split("/");
  const { kind = "AuthorizationPolicy", createdAtMs = 0, parts = new Map() } = fields;
  const key: ObjectKey = `${kind}/${id}`;
  quota.set({ key, namespace, name, createdAtMs, bytes, closedBytes: 50, parts });
}

function verdicts(...ids: readonly `${string}/${string}`[]): readonly (string | null)[] {
  return ids.map((id) => quota.verdictOf(`AuthorizationPolicy/${id}`));
}

function settle(): readonly string[] {
  return [...quota.settle().objects].map((key) => key.slice(key.indexOf("/") + 1)).sort();
}

describe("a namespace with too much", () => {
  it("loses its newest objects; those that still fit, and other namespaces, lose nothing", () => {
    put("a/new", 300, { createdAtMs: 3 });
    put("a/old", 500, { createdAtMs: 1 });
    put("a/small", 200, { createdAtMs: 4 });
    put("b/x", 700, { createdAtMs: 9 });
    expect(settle()).toEqual(["a/small"]);
    expect(verdicts("a/old", "a/new", "a/small", "b/x")).toEqual([null, null, "closed", null]);
    put("a/old", 600, { createdAtMs: 1 });
    expect(settle()).toEqual(["a/new", "a/small"]);
    expect(verdicts("a/old", "a/new", "a/small")).toEqual([null, "closed", null]);
    expect(quota.isSealed("a")).toBe(false);
  });

  it("gets them back when there is room again", () => {
    put("a/old", 500, { createdAtMs: 1 });
    put("a/new", 400, { createdAtMs: 2 });
    settle();
    quota.delete("AuthorizationPolicy/a/old");
    expect(settle()).toEqual(["a/new"]);
    expect(verdicts("a/new")).toEqual([null]);
    expect(settle()).toEqual([]);
  });

  it("is sealed when there is no room even for the small forms", () => {
    put("a/old", 800);
    for (let i = 0; i < 3; i++) put(`a/new${i}`, 100, { createdAtMs: i + 1 });
    settle();
    expect(verdicts("a/old", "a/new0", "a/new1", "a/new2")).toEqual([null, "closed", "closed", "withheld"]);
    expect(quota.isSealed("a")).toBe(true);
    quota.delete("AuthorizationPolicy/a/new0");
    expect([settle(), quota.isSealed("a")]).toEqual([["a/new2"], false]);
  });

  it("loses Gateways last", () => {
    put("a/old", 700, { createdAtMs: 1 });
    put("a/gw", 200, { createdAtMs: 2, kind: "Gateway" });
    settle();
    expect([quota.verdictOf("Gateway/a/gw"), ...verdicts("a/old")]).toEqual([null, "closed"]);
  });

  it("has no limit of its own if it is the root namespace", () => {
    put("root/x", 1_500);
    expect(settle()).toEqual([]);
    quota.rootNamespace = "other";
    expect(settle()).toEqual(["root/x"]);
  });
});

describe("fetched keys", () => {
  it("count for the objects that want them", () => {
    put("a/old", 500, { createdAtMs: 1 });
    put("a/keys", 100, { createdAtMs: 2, parts: new Map([["k", 1]]) });
    quota.setPart("k", 201);
    expect(settle()).toEqual(["a/keys"]);
    quota.setPart("k", 200);
    expect(settle()).toEqual(["a/keys"]);
    expect(verdicts("a/keys")).toEqual([null]);
  });

  it("count as often as an object wants them", () => {
    put("a/keys", 100, { parts: new Map([["k", 3]]) });
    quota.setPart("k", 233);
    expect(settle()).toEqual([]);
    quota.setPart("k", 234);
    expect(settle()).toEqual(["a/keys"]);
    quota.setPart("k", 233);
    expect(settle()).toEqual(["a/keys"]);
    quota.delete("AuthorizationPolicy/a/keys");
    put("a/all", 800);
    expect(settle()).toEqual([]);
  });

  it("are forgotten with the last that wants them", () => {
    put("a/keys", 100, { parts: new Map([["k", 1]]) });
    quota.setPart("k", 701);
    settle();
    quota.delete("AuthorizationPolicy/a/keys");
    put("a/keys", 100, { parts: new Map([["k", 1]]) });
    settle();
    expect(verdicts("a/keys")).toEqual([null]);
  });
});

describe("all together with too much", () => {
  it("costs the largest namespaces, and leaves the others alone", () => {
    for (const namespace of ["a", "b"]) for (let i = 0; i < 7; i++) put(`${namespace}/${i}`, 100, { createdAtMs: i });
    put("c/x", 500);
    put("d/x", 400);
    expect(settle()).toEqual(["a/5", "a/6", "b/5", "b/6"]);
    expect(quota.isOverItsOwn("a")).toBe(false);
    quota.delete("AuthorizationPolicy/d/x");
    expect(settle()).toEqual(["a/5", "a/6", "b/5", "b/6"]);
  });

  it("leaves room for the root namespace first", () => {
    put("root/x", 1_600);
    put("a/x", 300);
    put("b/x", 150);
    expect(settle()).toEqual(["a/x"]);
  });

  it.each<readonly [readonly number[], number, number]>([
    [[], 10, Number.POSITIVE_INFINITY],
    [[5, 5], 10, Number.POSITIVE_INFINITY],
    [[5, 6], 10, 5],
    [[1, 9, 9], 11, 5],
    [[100, 1, 1], 12, 10],
    [[4, 4], 0, 0],
  ])("cuts %j to %j at a level of %j", (amounts, total, level) => {
    expect(fairLevel(amounts, total)).toBe(level);
  });
});
