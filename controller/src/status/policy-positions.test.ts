import { expect, it } from "vitest";
import { PolicyPositions } from "./policy-positions.ts";

it("vouches for a revision only up to where its round began", () => {
  let hasChanges = true;
  const positions = new PolicyPositions(() => hasChanges);
  positions.moved("Gateway", "5");
  expect(positions.at(1).size).toBe(0);
  positions.begins();
  hasChanges = false;
  positions.moved("Gateway", "6"); // comes while the round is under way
  hasChanges = true;
  positions.ends(1);
  expect(positions.at(1)).toEqual(new Map([["Gateway", "5"]]));
  expect(positions.current()).toEqual(new Map([["Gateway", "5"]]));
});

it("lets the newest revision follow events that change nothing, and no older one", () => {
  const positions = new PolicyPositions(() => false);
  positions.moved("Gateway", "5");
  positions.begins();
  positions.ends(1);
  positions.begins();
  positions.ends(2);
  positions.moved("Gateway", "9");
  expect(positions.at(1)).toEqual(new Map([["Gateway", "5"]]));
  expect(positions.at(2)).toEqual(new Map([["Gateway", "9"]]));
  expect(positions.at(null).size).toBe(0);
  expect(positions.at(7).size).toBe(0);
});
