import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFleetView } from "./fleet-view.ts";
import { decodeReport, encodeReport } from "./report-codec.ts";
import { isAtOrPast } from "./resource-version.ts";
import type { ServerProgress } from "./server-progress.ts";

const KEY = "Gateway/foo/g";
const servers = fc.array(
  fc.record({
    node: fc.string({ minLength: 1, maxLength: 8 }),
    position: fc
      .option(fc.bigInt({ min: 0n, max: 10n ** 20n }))
      .map((version) => new Map(version === null ? [] : [["Gateway" as const, String(version)]])),
    refused: fc
      .option(fc.string({ maxLength: 20 }))
      .map((message) => new Map(message === null ? [] : [[KEY as typeof KEY, message]])),
  }),
  { maxLength: 8 },
);

it("counts as a walk over all servers would (property)", () => {
  fc.assert(
    fc.property(servers, fc.bigInt({ min: 0n, max: 10n ** 20n }), (all, version) => {
      const reached = (server: ServerProgress) => isAtOrPast(server.position.get("Gateway") ?? "", String(version));
      const coverage = createFleetView([{ replica: "r", servers: all }]).coverage("Gateway", KEY, String(version));
      expect(coverage.connected).toBe(all.length);
      expect(coverage.enforcing).toBe(all.filter((server) => reached(server) && !server.refused.has(KEY)).length);
      expect(coverage.refusal !== null).toBe(all.some((server) => reached(server) && server.refused.has(KEY)));
    }),
  );
});

it("orders resourceVersions as numbers, and trusts nothing that is none", () => {
  expect(isAtOrPast("10", "9")).toBe(true);
  expect(isAtOrPast("9", "10")).toBe(false);
  expect(isAtOrPast("abc", "1")).toBe(false);
  expect(isAtOrPast("1", "abc")).toBe(false);
  expect(isAtOrPast("", "")).toBe(false);
});

describe("the report of a replica", () => {
  it("comes back as it was written (property)", () => {
    fc.assert(
      fc.property(servers, (all) => {
        const report = { replica: "controller-0_1", servers: all };
        expect(decodeReport(encodeReport(report))).toEqual(report);
      }),
    );
  });

  it("never makes more of what is too large to be told", () => {
    const position = new Map([["Gateway" as const, "5"]]);
    const refused = new Map(Array.from({ length: 60 }, (_, i) => [`Gateway/foo/${i}` as const, "no"] as const));
    const one = decodeReport(encodeReport({ replica: "r", servers: [{ node: "a", position, refused }] }));
    expect(one?.servers).toEqual([{ node: "a", position: new Map(), refused: new Map() }]);
    const fleet = Array.from({ length: 3000 }, (_, i) => ({
      node: `server-${i}-${"x".repeat(20)}`,
      position,
      refused: new Map(),
    }));
    const many = decodeReport(encodeReport({ replica: "r", servers: fleet }));
    expect(many?.servers).toHaveLength(3000);
    expect(many?.servers.every((server) => server.position.size === 0)).toBe(true);
  });

  it.each([
    "",
    "x",
    "null",
    "[]",
    '{"replica":1}',
    '{"replica":"r","positions":[],"refused":[],"servers":[[1,0,[]]]}',
    '{"replica":"r","positions":[],"refused":[],"servers":[["a",0,[7]]]}',
  ])("is nothing when it is %s", (text) => {
    expect(decodeReport(text)).toBeNull();
  });
});
