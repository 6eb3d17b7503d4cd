import { expect, it } from "vitest";
import { Fleet } from "./fleet.ts";

it("counts the connected servers that acknowledged exactly this version", () => {
  const fleet = new Fleet();
  fleet.connected(1, "first", new Map([["a", "2"]]));
  fleet.connected(2, "second", new Map([["a", "1"]]));
  fleet.connected(3, "third", new Map());
  expect(fleet.programmed("a", "2")).toEqual({ connected: 3, enforcing: 1 });
  fleet.disconnected(1);
  expect(fleet.programmed("a", "2")).toEqual({ connected: 2, enforcing: 0 });
});

it("sees what a server acknowledges later without being told again", () => {
  const fleet = new Fleet();
  const known = new Map<string, string>();
  fleet.connected(1, "first", known);
  known.set("a", "1");
  expect(fleet.programmed("a", "1")).toEqual({ connected: 1, enforcing: 1 });
});

it("counts two servers of one id apart, so that none hides behind the other", () => {
  const fleet = new Fleet();
  fleet.connected(1, "same", new Map([["a", "1"]]));
  fleet.connected(2, "same", new Map());
  expect(fleet.programmed("a", "1")).toEqual({ connected: 2, enforcing: 1 });
});

it("keeps the last refusal of a server until it acknowledges again", () => {
  const fleet = new Fleet();
  const nack = { version: "v2", message: "unknown condition", resources: ["a"] };
  fleet.connected(1, "first", new Map());
  fleet.acked(1, "v1");
  fleet.nacked(1, nack);
  expect(fleet.members()).toEqual([{ nodeId: "first", ackedVersion: "v1", lastNack: nack }]);
  fleet.acked(1, "v3");
  expect(fleet.members()).toEqual([{ nodeId: "first", ackedVersion: "v3", lastNack: null }]);
});

it("ignores news of a stream that has ended", () => {
  const fleet = new Fleet();
  fleet.acked(9, "v1");
  fleet.nacked(9, { version: "v1", message: "", resources: [] });
  expect(fleet.members()).toEqual([]);
});
