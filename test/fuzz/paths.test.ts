import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeTarget } from "../../authz-server/src/policy/path-normalizer.ts";
import { pathReadings } from "../../authz-server/src/policy/path-readings.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

const PIECES = [
  "/",
  "//",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2f",
  "%5c",
  "%5C",
  "\\",
  ";",
  "%",
  "%2",
  "%25",
  "%00",
  "a",
  "?",
  "#",
  "é",
  '"',
  "%61",
  "%ff",
  "*",
];
const targets = fc.oneof(
  soup(PIECES, 16).map((text) => `/${text}`),
  soup(PIECES),
  fc.string({ unit: "binary" }),
);

describe.each(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const)(
  "normalizeTarget in mode %s",
  (mode) => {
    test(
      "never throws, is idempotent, and leaves nothing that it should have taken away",
      async () => {
        await fuzz(targets, (target) => {
          const result = normalizeTarget(target, mode);
          if (result === undefined) return;
          const { path, query } = result;
          expect(normalizeTarget(path + query, mode)).toEqual(result);
          expect(path + query).not.toContain("#");
          expect(query === "" || query.startsWith("?")).toBe(true);
          if (mode === "NONE" || !path.startsWith("/")) return;
          expect(path).not.toMatch(/(^|\/)\.\.?(\/|$)/);
          expect(path).not.toMatch(/\\|%00/);
          // Unreserved characters are never left escaped.
          expect(path).not.toMatch(/%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])/);
          // Envoy keeps `//` where nothing stands between the slashes.
          if (mode !== "BASE" && path !== "//") expect(path).not.toContain("//");
        });
      },
      FUZZ_TIMEOUT_MS,
    );
  },
);

test(
  "the readings of a path are few, and the path itself is one",
  async () => {
    await fuzz(targets, (target) => {
      const readings = pathReadings(target);
      expect(readings).toContain(target);
      // Each of six things is done or not: parameters, escapes, NUL, slashes and dots, and what Envoy would normalise.
      expect(readings.length).toBeLessThanOrEqual(2 ** 6);
    });
  },
  FUZZ_TIMEOUT_MS,
);
