import { describe, expect, it } from "vitest";
import { parseWorkload } from "./workload.ts";

const nothing = { namespace: "", labels: "", gateways: "", serverPort: "" };

describe("a workload's identity", () => {
  it("is read from four texts", () => {
    const identity = { namespace: "foo", labels: "app=httpbin, a/b=c=d", gateways: "foo/gw,bar/x.y", serverPort: "80" };
    expect(parseWorkload(identity)).toMatchObject({
      namespace: "foo",
      labels: new Map([
        ["app", "httpbin"],
        ["a/b", "c=d"],
      ]),
      gateways: ["foo/gw", "bar/x.y"],
      serverPort: 80,
    });
  });

  it("needs no more than a namespace", () => {
    expect(parseWorkload({ ...nothing, namespace: "foo" })).toMatchObject({
      labels: new Map(),
      gateways: null,
      serverPort: null,
    });
  });

  it.each([
    {},
    { namespace: "Foo" },
    { namespace: "a/b" },
    { namespace: "foo\n" },
    { namespace: "a".repeat(64) },
    { namespace: "foo", labels: "app" },
    { namespace: "foo", labels: "=x" },
    { namespace: "foo", gateways: "gw" },
    { namespace: "foo", gateways: "foo/GW" },
    { namespace: "foo", serverPort: "http" },
    { namespace: "foo", serverPort: "123456" },
  ])("is nobody's when it is malformed: %j", (fields) => {
    expect(parseWorkload({ ...nothing, ...fields })).toBeUndefined();
  });

  it("has one key for equal texts and other keys for others", () => {
    const keys = [
      { namespace: "a" },
      { namespace: "b" },
      { namespace: "a", labels: "x=y" },
      { namespace: "a", serverPort: "1" },
    ].map((fields) => parseWorkload({ ...nothing, ...fields })?.key);
    expect(new Set(keys).size).toBe(4);
    expect(parseWorkload({ ...nothing, namespace: "a" })?.key).toBe(keys[0]);
  });
});
