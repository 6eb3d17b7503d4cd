import { describe, expect, it } from "vitest";
import type { AuthorizationPolicyObject, InvalidObject, ObjectMetadata, Origin } from "./object.ts";
import { formatProblem } from "./object.ts";
import { ResourceStore } from "./store.ts";

const origin: Origin = { locate: (path) => `a.yaml:${path.length}` };
const key = "AuthorizationPolicy/foo/a";

function policy(action: "ALLOW" | "DENY", metadata: Partial<ObjectMetadata> = {}): AuthorizationPolicyObject {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "a", namespace: "foo", labels: {}, annotations: {}, ...metadata },
    spec: { action },
  };
}

function invalidPolicy(message: string): InvalidObject {
  const raw = { spec: { action: "?" } };
  return { kind: "AuthorizationPolicy", namespace: "foo", name: "a", errors: [{ path: "spec.action", message }], raw };
}

describe("a change", () => {
  it("is told once", () => {
    const store = new ResourceStore([]);
    expect(store.upsert(policy("ALLOW"), origin)).toBe(true);
    expect(store.takeChanges().changed).toMatchObject([{ kind: "valid", key, object: { spec: { action: "ALLOW" } } }]);
    expect(store.takeChanges()).toEqual({ changed: [], removed: [] });
  });

  it.each([
    ["spec", policy("DENY"), true],
    ["a label", policy("ALLOW", { labels: { a: "b" } }), true],
    ["an annotation", policy("ALLOW", { annotations: { "istio.io/dry-run": "true" } }), true],
    ["the time of creation", policy("ALLOW", { creationTimestamp: "2026-01-01T00:00:00Z" }), true],
    ["the resource version alone", policy("ALLOW", { resourceVersion: "2" }), false],
    ["the API version alone", { ...policy("ALLOW"), apiVersion: "security.istio.io/v1beta1" }, false],
  ])("of %s counts or not", (_what, object, isChange) => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    store.takeChanges();
    expect(store.upsert(object, origin)).toBe(isChange);
    expect(store.takeChanges().changed.length).toBe(isChange ? 1 : 0);
  });

  it("and its removal before anybody looked is a removal", () => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    expect(store.delete(key)).toBe(true);
    expect(store.delete(key)).toBe(false);
    expect(store.takeChanges()).toEqual({ changed: [], removed: [key] });
  });

  it("after a removal is a change", () => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    store.takeChanges();
    store.delete(key);
    store.upsert(policy("ALLOW"), origin);
    expect(store.takeChanges()).toMatchObject({ changed: [{ key }], removed: [] });
  });
});

describe("an invalid object", () => {
  it("leaves the last good version in force and is a problem until it is repaired", () => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    store.takeChanges();
    expect(store.invalid(invalidPolicy("bad"), origin)).toBe(false);
    expect(store.takeChanges()).toEqual({ changed: [], removed: [] });
    expect(store.get(key)).toMatchObject({ kind: "valid", object: { spec: { action: "ALLOW" } } });
    expect(store.problems().map(formatProblem)).toEqual(["a.yaml:11: AuthorizationPolicy foo/a: spec.action: bad"]);
    expect(store.upsert(policy("ALLOW"), origin)).toBe(false);
    expect(store.problems()).toEqual([]);
  });

  it("that never was valid is handed on as invalid", () => {
    const store = new ResourceStore([]);
    expect(store.invalid(invalidPolicy("bad"), origin)).toBe(true);
    expect(store.invalid(invalidPolicy("bad"), origin)).toBe(false);
    expect(store.takeChanges().changed).toMatchObject([{ kind: "invalid", key, object: { name: "a" } }]);
    expect(store.problems().map(formatProblem)).toEqual(["a.yaml:11: AuthorizationPolicy foo/a: spec.action: bad"]);
    expect(store.upsert(policy("ALLOW"), origin)).toBe(true);
    expect(store.takeChanges().changed).toMatchObject([{ kind: "valid", key }]);
  });

  it("that goes away takes its last good version with it", () => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    store.invalid(invalidPolicy("bad"), origin);
    store.delete(key);
    expect(store.takeChanges().removed).toEqual([key]);
    expect(store.problems()).toEqual([]);
  });
});

describe("waiting for news", () => {
  it("ends at a change that came before, once", async () => {
    const store = new ResourceStore([]);
    store.upsert(policy("ALLOW"), origin);
    await store.changed(new AbortController().signal);
    const stop = new AbortController();
    const second = store.changed(stop.signal).then(() => stop.signal.aborted);
    stop.abort();
    expect(await second).toBe(true);
  });

  it("ends when the last source has synced, without any object", async () => {
    const store = new ResourceStore(["dir:a", "dir:b"]);
    store.markSynced("dir:a");
    await store.changed(new AbortController().signal);
    expect(store.synced).toBe(false);
    const news = store.changed(new AbortController().signal);
    store.markSynced("dir:b");
    await news;
    expect(store.synced).toBe(true);
  });
});

it("lists the problems that sources report, the newest list of each", () => {
  const store = new ResourceStore([]);
  const problem = { level: "error", where: "a.yaml", object: null, path: "", message: "one" } as const;
  store.setProblems("a", [problem]);
  store.setProblems("b", [{ ...problem, message: "two" }]);
  store.setProblems("a", []);
  expect(store.problems().map(formatProblem)).toEqual(["a.yaml: two"]);
});
