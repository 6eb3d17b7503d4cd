import { describe, expect, it } from "vitest";
import { compileTemplate } from "./path-template.ts";

describe("a path template", () => {
  it.each([
    ["/allow/admin/{**}", "/allow/admin/", true],
    ["/allow/admin/{**}", "/allow/admin/foo/temp.txt", true],
    ["/allow/admin/{**}", "/allow/admin", false],
    ["/foo/{*}/bar/{**}", "/foo/buzz/bar/bat", true],
    ["/foo/{*}/bar/{**}", "/foo/buzz/bar/", true],
    ["/foo/{*}/bar/{**}", "/foo/bar/bat.txt", false],
    ["/foo/{*}/bar/{**}", "/foo//bar/bat.txt", false],
    ["/foo/{*}/bar/{**}", "/foo/buzz/bar", false],
    ["/store/{**}/cart", "/store//cart", true],
    ["/store/{**}/cart", "/store/a/b/cart", true],
    ["/store/{**}/cart", "/store/cart", false],
    ["/{*}", "/a", true],
    ["/{*}", "/", false],
    ["/{*}", "/a/b", false],
    ["/a.b/{*}", "/axb/c", false],
    ["/{*}", "/%zz;a=b,c:d@e", true],
    ["/{*}", "/a*b", true],
    ["/store/{**}/cart", "/store/*/cart", true],
  ])("%s fits %s: %s", (template, path, expected) => {
    expect(compileTemplate(template, false)(path)).toBe(expected);
    expect(compileTemplate(template, true)(path)).toBe(expected);
  });

  it.each(["/^", "/\xff", "/|", "/[", "/\n"])("fits the odd byte of %j only where it must not be evaded", (path) => {
    expect(compileTemplate("/{*}", false)(path)).toBe(false);
    expect(compileTemplate("/{*}", true)(path)).toBe(true);
    expect(compileTemplate("/{**}", false)(path)).toBe(false);
    expect(compileTemplate("/{**}", true)(path)).toBe(true);
  });
});
