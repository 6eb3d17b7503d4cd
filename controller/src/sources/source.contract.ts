import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InvalidObject, ObjectKey, Problem, ResourceObject } from "../resources/object.ts";
import { objectKey } from "../resources/object.ts";
import type { Sink, Source } from "./source.ts";

/** One place that a source reads, and the means to change it. */
export interface SourceHarness {
  readonly source: Source;
  /** Creates or replaces one object, in one step. */
  put(object: TestObject): Promise<void>;
  /** Removes one object, in one step. */
  remove(object: TestObject): Promise<void>;
  close(): Promise<void>;
}

export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

/** An AuthorizationPolicy `foo/NAME` that allows these paths. */
export function policy(name: string, ...paths: readonly unknown[]): TestObject {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "foo" },
    spec: { rules: [{ to: [{ operation: { paths } }] }] },
  };
}

/** What every source must do, whatever it reads. */
export function describeSource(name: string, createHarness: () => Promise<SourceHarness>): void {
  describe(`${name}, as a source`, () => {
    let harness: SourceHarness;
    let sink: RecordingSink;
    let stop: AbortController;
    let finished: Promise<void>;
    const start = (): void => {
      finished = harness.source.start(sink, stop.signal);
    };

    beforeEach(async () => {
      harness = await createHarness();
      sink = createRecordingSink();
      stop = new AbortController();
      finished = Promise.resolve();
    });
    afterEach(async () => {
      stop.abort();
      await finished;
      await harness.close();
    });

    it("delivers every object before it says synced", async () => {
      await harness.put(policy("a", "/a"));
      await harness.put(policy("b", "/b"));
      start();
      await sink.until(() => sink.isSynced());
      expect(sink.calls.at(-1)).toBe("synced");
      expect([...sink.objects.keys()].sort()).toEqual(["AuthorizationPolicy/foo/a", "AuthorizationPolicy/foo/b"]);
    });

    it("says synced when there is nothing", async () => {
      start();
      await sink.until(() => sink.isSynced());
      expect(sink.objects.size).toBe(0);
    });

    it("delivers an object that is made later", async () => {
      start();
      await sink.until(() => sink.isSynced());
      await harness.put(policy("late", "/late"));
      await sink.until(() => sink.objects.has("AuthorizationPolicy/foo/late"));
    });

    it("delivers a changed spec", async () => {
      await harness.put(policy("a", "/old"));
      start();
      await sink.until(() => sink.isSynced());
      await harness.put(policy("a", "/new"));
      await sink.until(() => JSON.stringify(sink.objects.get("AuthorizationPolicy/foo/a")?.spec).includes("/new"));
    });

    it("delivers a changed label", async () => {
      const before = policy("a", "/a");
      await harness.put(before);
      start();
      await sink.until(() => sink.isSynced());
      await harness.put({ ...before, metadata: { ...before.metadata, labels: { team: "blue" } } });
      await sink.until(() => sink.objects.get("AuthorizationPolicy/foo/a")?.metadata.labels["team"] === "blue");
    });

    it("tells when an object is gone", async () => {
      await harness.put(policy("a", "/a"));
      await harness.put(policy("b", "/b"));
      start();
      await sink.until(() => sink.isSynced());
      await harness.remove(policy("a", "/a"));
      await sink.until(() => !sink.objects.has("AuthorizationPolicy/foo/a"));
      expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/b"]);
    });

    it("reports an object that fails its schema, with the field, and delivers the others", async () => {
      await harness.put(policy("bad", 1));
      await harness.put(policy("good", "/good"));
      start();
      await sink.until(() => sink.isSynced());
      expect(sink.invalidObjects.get("AuthorizationPolicy/foo/bad")?.errors).toEqual([
        {
          path: "spec.rules[0].to[0].operation.paths[0]",
          message: 'must be of type string, found number; write "1"',
        },
      ]);
      expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/good"]);
    });

    it("delivers an object once it is repaired", async () => {
      await harness.put(policy("a", 1));
      start();
      await sink.until(() => sink.isSynced());
      await harness.put(policy("a", "/a"));
      await sink.until(() => sink.objects.has("AuthorizationPolicy/foo/a"));
    });

    it("is finished and silent after the signal aborts", async () => {
      start();
      await sink.until(() => sink.isSynced());
      stop.abort();
      await finished;
      const calls = sink.calls.length;
      await harness.put(policy("late", "/late"));
      expect(sink.calls.length).toBe(calls);
    });
  });
}

/** A sink that remembers, and wakes those who wait for something to be so. */
export interface RecordingSink extends Sink {
  /** Names of the calls, in order. */
  readonly calls: readonly string[];
  readonly objects: ReadonlyMap<ObjectKey, ResourceObject>;
  readonly invalidObjects: ReadonlyMap<ObjectKey, InvalidObject>;
  problems(): readonly Problem[];
  isSynced(): boolean;
  /** Resolves as soon as the condition holds; it is looked at after every call. */
  until(condition: () => boolean): Promise<void>;
}

export function createRecordingSink(): RecordingSink {
  const calls: string[] = [];
  const objects = new Map<ObjectKey, ResourceObject>();
  const invalidObjects = new Map<ObjectKey, InvalidObject>();
  const waiting = new Set<() => void>();
  let problems: readonly Problem[] = [];
  const note = (call: string): void => {
    calls.push(call);
    for (const look of [...waiting]) look();
  };
  return {
    calls,
    objects,
    invalidObjects,
    problems: () => problems,
    isSynced: () => calls.includes("synced"),
    upsert(object) {
      objects.set(objectKey(object), object);
      invalidObjects.delete(objectKey(object));
      note(`upsert ${objectKey(object)}`);
    },
    invalid(object) {
      invalidObjects.set(objectKey(object), object);
      note(`invalid ${objectKey(object)}`);
    },
    delete(key) {
      objects.delete(key);
      invalidObjects.delete(key);
      note(`delete ${key}`);
    },
    setProblems(now) {
      problems = now;
      note("problems");
    },
    synced: () => note("synced"),
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
