import { readFileSync } from "node:fs";
import type { PathNormalization } from "@gatehouse/protos";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeTarget } from "./path-normalizer.ts";

const MODES = [
  "NONE",
  "BASE",
  "MERGE_SLASHES",
  "DECODE_AND_MERGE_SLASHES",
] as const satisfies readonly PathNormalization[];

// Recorded from Envoy 1.40: [sent, NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES]; null is a 400.
const golden: readonly (readonly (string | null)[])[] = JSON.parse(
  readFileSync(new URL("testdata/path-normalization.golden.json", import.meta.url), "utf8"),
);

function normalized(target: string, mode: PathNormalization): string | null {
  const result = normalizeTarget(target, mode);
  return result === undefined ? null : result.path + result.query;
}

describe.each(MODES.map((mode, column) => ({ mode, column: column + 1 })))(
  "normalizeTarget in mode $mode",
  ({ mode, column }) => {
    it("gives what Envoy gives for every recorded path", () => {
      const differing = golden.filter(([sent, ...outcomes]) => normalized(sent ?? "", mode) !== outcomes[column - 1]);
      expect(differing.map((row) => [row[0], row[column], normalized(row[0] ?? "", mode)])).toEqual([]);
    });

    it("is idempotent", () => {
      const piece = fc.constantFrom(
        "/",
        "\\",
        ".",
        "..",
        ";",
        "%2e",
        "%2f",
        "%5C",
        "%",
        "%2",
        "a",
        "?",
        "#",
        "%00",
        "%32",
        "65",
        "é",
        '"',
        "//",
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
          const once = normalized(`/${pieces.join("")}`, mode);
          if (once !== null) expect(normalized(once, mode)).toBe(once);
        }),
        { numRuns: 5000 },
      );
    });
  },
);

describe("a path that Envoy leaves half normalised", () => {
  // Envoy turns /a/%2e%2e;/b into /a/..;/b and stops. A second look would turn that into /b, so we take it there at once.
  it("is normalised until it is stable", () => {
    expect(normalized("/a/%2e%2e;/b", "BASE")).toBe("/b");
    expect(normalized("/a\\..;/b", "BASE")).toBe("/b");
  });
});
