import { expect, it } from "vitest";
import type { RequestAttributes } from "../authz/attributes.ts";
import { headerDimension } from "./dimensions.ts";
import { type Candidate, MatchIndex } from "./match-index.ts";
import { conditionKeys } from "./match-keys.ts";

const HEADERS = ["x-a", "x-b", "x-c", "x-d", "x-e", "x-f"];
const CANDIDATES = 2 ** 9;

/** Candidates that differ in several headers, so that they are indexed by one after the other. None matches. */
function asked(): { readonly index: MatchIndex<Candidate>; readonly calls: readonly number[] } {
  const calls: number[] = [];
  const items: readonly Candidate[] = Array.from({ length: CANDIDATES }, (_, order) => ({
    order,
    matches() {
      calls.push(order);
      return false;
    },
  }));
  const partsOf = ({ order }: Candidate) =>
    HEADERS.flatMap((name, bit) => {
      const keys = conditionKeys(headerDimension(name), [
        { kind: "prefix", value: order & (1 << bit) ? "yes" : "no-" },
      ]);
      return keys === undefined ? [] : [[[keys]]];
    });
  const index = new MatchIndex(items, { partsOf, weightOf: () => HEADERS.length });
  return { index, calls };
}

function withLines(times: number): RequestAttributes {
  const lines = HEADERS.flatMap((name) =>
    Array.from({ length: times }, (_, i) => ({ name, value: `${i % 2 === 0 ? "yes" : "no-"}${i}` })),
  );
  return {
    request: {
      ...{ method: "GET", path: "/", host: "h", scheme: "http", headers: lines, hasRawHeaders: true, sni: "" },
      source: { address: "10.0.0.1", principal: "" },
      destination: { address: "10.0.0.2", port: 80 },
      contextExtensions: new Map(),
      filterMetadata: () => undefined,
    },
    ...{ path: "/", query: "", headers: lines, removedHeaders: [], addedHeaders: [], claims: null },
    remoteAddress: "10.0.0.1",
  };
}

it.each([1, 2, 4, 16])("asks no candidate twice, though each header comes %i times", (times) => {
  const { index, calls } = asked();
  expect(index.first(withLines(times), Number.POSITIVE_INFINITY, new Set())).toBeUndefined();
  expect(calls.length).toBeGreaterThan(0);
  expect(calls).toHaveLength(new Set(calls).size);
});

it("is built in steps when policy arrives, where few candidates have very many keys", () => {
  const items = Array.from({ length: 20 }, (_, order) => ({ order, matches: () => true }));
  const partsOf = ({ order }: Candidate) => {
    const values = Array.from({ length: 500 }, (_, i) => ({ kind: "exact" as const, value: `${order} ${i}` }));
    return [[[conditionKeys(headerDimension("x-a"), values) ?? []]]];
  };
  const index = new MatchIndex(items, { partsOf, weightOf: () => 500 });
  expect(index.isLarge).toBe(true);
  expect([...index.build()].length).toBeGreaterThan(20);
  expect(index.isLarge && new MatchIndex(items, { partsOf, weightOf: () => 1 }).isLarge).toBe(false);
});
