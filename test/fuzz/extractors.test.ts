import type { TokenLocation } from "@gatehouse/protos";
import fc from "fast-check";
import { expect, test } from "vitest";
import { orderedLocations, tokensAt, withoutParams } from "../../authz-server/src/authn/token.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

const text = soup(
  ["Bearer ", "bearer", "a.b.c", "=", "&", ";", "; ", '"', "t", "%74", "%", "%zz", " ", ",", "\t", "session"],
  16,
);
const location: fc.Arbitrary<TokenLocation> = fc.oneof(
  fc.record({
    kind: fc.constant("header" as const),
    name: fc.constantFrom("authorization", "x-t"),
    prefix: fc.constantFrom("", "Bearer ", "t", "a.b"),
  }),
  fc.record({ kind: fc.constant("param" as const), name: fc.constantFrom("t", "session", "", "%74") }),
  fc.record({ kind: fc.constant("cookie" as const), name: fc.constantFrom("t", "session", "") }),
);
const name = fc.constantFrom("authorization", "x-t", "cookie", "other");
const lines = fc.array(fc.record({ name, value: text }), { maxLength: 4 });

test(
  "tokens are found only at the place that is asked for, and nowhere else",
  async () => {
    await fuzz(fc.record({ location, lines, query: text }), ({ location: place, lines: headers, query }) => {
      const tokens = tokensAt(place, headers, query);
      const used = place.kind === "cookie" ? "cookie" : place.name;
      const others = headers.filter((line) => line.name !== used);
      if (place.kind === "param") expect(tokensAt(place, [], query)).toEqual(tokens);
      else expect(tokensAt(place, headers, "")).toEqual(tokens);
      if (place.kind !== "param") expect(tokensAt(place, others, query)).toEqual([]);
      const all = headers.map(({ value }) => value).join("") + query;
      expect(tokens.join("").length).toBeLessThanOrEqual(all.length);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "a token in a header with a prefix stands behind the prefix",
  async () => {
    await fuzz(text, (value) => {
      const place = { kind: "header", name: "authorization", prefix: "Bearer " } as const;
      const tokens = tokensAt(place, [{ name: "authorization", value }], "");
      expect(tokens.length).toBe(value.includes("Bearer ") ? 1 : 0);
      for (const token of tokens) expect(value.endsWith(token)).toBe(true);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "parameters that are taken out of a query are gone, the others stay as they were",
  async () => {
    await fuzz(text, (query) => {
      const rest = withoutParams(query, new Set(["t"]));
      expect(tokensAt({ kind: "param", name: "t" }, [], rest)).toEqual([]);
      for (const other of ["session", "a.b.c"]) {
        const place = { kind: "param", name: other } as const;
        expect(tokensAt(place, [], rest)).toEqual(tokensAt(place, [], query));
      }
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "the order of locations is that of Envoy, whatever the order of the rule",
  async () => {
    await fuzz(fc.array(location, { minLength: 1, maxLength: 5 }), (locations) => {
      const ordered = orderedLocations(locations);
      expect(ordered.map(({ kind }) => "hpc".indexOf(kind.charAt(0)))).toEqual(
        ordered.map(({ kind }) => "hpc".indexOf(kind.charAt(0))).toSorted((a, b) => a - b),
      );
      expect(ordered.map(({ kind, name: called }) => [kind, called])).toEqual(
        orderedLocations(locations.toReversed()).map(({ kind, name: called }) => [kind, called]),
      );
    });
  },
  FUZZ_TIMEOUT_MS,
);
