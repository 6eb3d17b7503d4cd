import { expect, it } from "vitest";
import { climbsOut } from "./strict-route.ts";

it.each(["/files/../secret", "/files/..%2fsecret", "/files/./x", "/files/%2e%2e;/x", "/a/..;/b", "/a/.."])(
  "%s leads out of its folder for some upstream",
  (path) => {
    expect(climbsOut(path)).toBe(true);
  },
);

it.each(["/files/a..b", "/files/...", "/files/a%2Fb", "/files/.well-known", "/x?y=/../z", ""])(
  "%s stays in its folder",
  (path) => {
    expect(climbsOut(path)).toBe(false);
  },
);
