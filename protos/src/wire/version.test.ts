import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resourceVersion, SetVersion, setVersion } from "./version.ts";

const sets = fc.uniqueArray(fc.record({ name: fc.string(), version: fc.string() }), {
  selector: ({ name }) => name,
  maxLength: 20,
});

test("a resource version is the first half of the SHA-256 of the bytes", () => {
  expect(resourceVersion(new Uint8Array())).toBe("e3b0c44298fc1c149afbf4c8996fb924");
});

test("the empty set has version zero", () => {
  expect(setVersion([])).toBe("0000000000000000");
});

test("the version of one resource is the start of the SHA-256 of its name and version", () => {
  const digest = createHash("sha256").update("KeySet//a\0v1").digest("hex");
  expect(setVersion([{ name: "KeySet//a", version: "v1" }])).toBe(digest.slice(0, 16));
});

test("the order of resources does not matter", () => {
  fc.assert(
    fc.property(sets, (set) => {
      expect(setVersion(set.toReversed())).toBe(setVersion(set));
    }),
  );
});

test("removing a resource leads back to the version before it was added", () => {
  fc.assert(
    fc.property(sets, fc.string(), fc.string(), (set, name, version) => {
      const kept = new SetVersion();
      for (const resource of set) kept.add(resource.name, resource.version);
      kept.add(name, version);
      kept.remove(name, version);
      expect(kept.toString()).toBe(setVersion(set));
    }),
  );
});

test("another version of one resource is another version of the set", () => {
  expect(setVersion([{ name: "a", version: "1" }])).not.toBe(setVersion([{ name: "a", version: "2" }]));
});
