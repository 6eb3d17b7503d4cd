import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostReadings } from "./host-readings.ts";
import { normalizeTarget } from "./path-normalizer.ts";
import { pathReadings } from "./path-readings.ts";

describe("pathReadings", () => {
  it.each([
    ["/a/b-c", []],
    ["//admin", ["/admin"]],
    ["/public/..%2fadmin", ["/public/../admin", "/admin"]],
    ["/admin;x=1", ["/admin"]],
    ["/;x=y/admin", ["//admin", "/admin"]],
    ["/a%5Cb", ["/a/b"]],
    ["/a@b%40c", ["/a@b@c"]],
    ["/%2561dmin", ["/%61dmin"]],
    ["/a//../b", ["/a/b", "/a/../b", "/b"]],
    ["/admin%3Bx%2Fy", ["/admin;x/y", "/admin/y"]],
    ["/admin;x%2Fy", ["/admin", "/admin;x/y", "/admin/y"]],
    ["/admin%00.html", ["/admin\0.html", "/admin"]],
    ["*", []],
    ["", []],
  ])("reads %s also as %j", (path, others) => {
    const [first, ...rest] = pathReadings(path);
    expect([first, rest.toSorted()]).toEqual([path, others.toSorted()]);
  });

  it("reads a path that Envoy has normalised the same, whatever it had to do", () => {
    const piece = fc.constantFrom("/", "a", "..", ".", "%2e", "%2F", ";", "\\", "%61", "//");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const raw = `/${pieces.join("")}`;
        const normalized = normalizeTarget(raw, "BASE")?.path;
        // Under NONE the readings of the raw path include what any Envoy before the upstream would make of it.
        expect(pathReadings(raw)).toContain(normalized);
      }),
    );
  });
});

describe("hostReadings", () => {
  it.each([
    ["secret.com", []],
    ["secret.com:8080", ["secret.com"]],
    ["secret.com:", ["secret.com"]],
    ["secret.com.", ["secret.com"]],
    ["secret.com.:80", ["secret.com", "secret.com.", "secret.com:80"]],
    ["[::1]:80", ["[::1]"]],
    ["[::1", []],
    ["a:b:80", ["a:b"]],
    ["", []],
  ])("reads %s also as %j", (host, others) => {
    const [first, ...rest] = hostReadings(host);
    expect([first, rest.toSorted()]).toEqual([host, others]);
  });
});
