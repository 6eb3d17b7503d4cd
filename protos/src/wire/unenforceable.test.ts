import { expect, test } from "vitest";
import { decodeUnenforceableResources, encodeUnenforceableResources } from "./unenforceable.ts";

test("the detail of a NACK comes out as it went in", () => {
  const resources = [
    { name: "AuthorizationPolicy/foo/bar", reason: "rules[0].when[0]: bad pattern" },
    { name: "VirtualService/foo/__proto__", reason: "" },
  ];
  expect(decodeUnenforceableResources(encodeUnenforceableResources(resources))).toEqual(resources);
});

test("half of a surrogate pair in a reason does not stop the NACK", () => {
  const bytes = encodeUnenforceableResources([{ name: "a", reason: "odd \ud800 text" }]);
  expect(decodeUnenforceableResources(bytes)).toEqual([{ name: "a", reason: "odd \ufffd text" }]);
});

test("bytes that are no such detail are refused", () => {
  expect(() => decodeUnenforceableResources(Uint8Array.of(0x0a, 0x05, 0x01))).toThrow(Error);
});
