import { expect, it } from "vitest";
import { Fleet } from "./fleet.ts";

const DONE = { isWildcard: true, revision: 3, refused: new Map() };

it("tells how far each server has come, and of each change", () => {
  let changes = 0;
  const fleet = new Fleet(() => {
    changes += 1;
  });
  fleet.connected(1, "first");
  expect(fleet.members()).toMatchObject([{ nodeId: "first", progress: null }]);
  fleet.progressed(1, DONE);
  expect(fleet.members()).toMatchObject([{ nodeId: "first", progress: DONE }]);
  fleet.disconnected(1);
  expect(fleet.members()).toEqual([]);
  expect(changes).toBe(3);
});

it("counts two servers of one id apart, so that none hides behind the other", () => {
  const fleet = new Fleet();
  fleet.connected(1, "same");
  fleet.connected(2, "same");
  fleet.progressed(1, DONE);
  expect(fleet.members().map(({ progress }) => progress)).toEqual([DONE, null]);
});

it("keeps the last refusal of a server until it acknowledges again", () => {
  const fleet = new Fleet();
  const nack = { version: "v2", message: "unknown condition", resources: ["a"] };
  fleet.connected(1, "first");
  fleet.acked(1, "v1");
  fleet.nacked(1, nack);
  expect(fleet.members()).toEqual([{ nodeId: "first", ackedVersion: "v1", lastNack: nack, progress: null }]);
  fleet.acked(1, "v3");
  expect(fleet.members()).toEqual([{ nodeId: "first", ackedVersion: "v3", lastNack: null, progress: null }]);
});

it("ignores news of a stream that has ended", () => {
  const fleet = new Fleet();
  fleet.acked(9, "v1");
  fleet.nacked(9, { version: "v1", message: "", resources: [] });
  fleet.progressed(9, DONE);
  expect(fleet.members()).toEqual([]);
});
