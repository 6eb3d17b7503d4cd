import type { HeaderOperations } from "@gatehouse/protos";
import { expect, it } from "vitest";
import { authorityIn, changeHeaders, headerChanges } from "./header-operations.ts";

function operations(
  set: Readonly<Record<string, string>>,
  add: Readonly<Record<string, string>> = {},
  remove: readonly string[] = [],
): HeaderOperations {
  const pairs = (map: Readonly<Record<string, string>>) =>
    Object.entries(map).map(([name, value]) => ({ name, value }));
  return { set: pairs(set), add: pairs(add), remove };
}

const line = (name: string, value: string, append = false) => ({ name, value, append });

it.each([
  ["set overwrites", [[operations({ a: "1" })]], [line("a", "1")], []],
  ["add appends", [[operations({}, { a: "1" })]], [line("a", "1", true)], []],
  ["add follows set", [[operations({ a: "1" }, { a: "2" })]], [line("a", "1"), line("a", "2", true)], []],
  ["remove comes first", [[operations({ a: "1" }, {}, ["a", "b"])]], [line("a", "1")], ["b"]],
  ["add after remove starts anew", [[operations({}, { a: "1" }, ["a"])]], [line("a", "1")], []],
  ["of one level the later set wins", [[operations({ a: "1" }), operations({ a: "2" })]], [line("a", "2")], []],
  ["of one level all removals come first", [[operations({ a: "1" }), operations({}, {}, ["a"])]], [line("a", "1")], []],
  ["a later level removes what an earlier set", [[operations({ a: "1" })], [operations({}, {}, ["a"])]], [], ["a"]],
  ["a later level overwrites", [[operations({}, { a: "1" })], [operations({ a: "2" })]], [line("a", "2")], []],
  ["host is no header", [[operations({ host: "x" }, { ":authority": "y" })]], [], []],
] as const)("%s", (_name, levels, set, remove) => {
  expect(headerChanges(levels)).toEqual({ set, remove });
});

it("reads the host from set before add, whatever it is called", () => {
  expect(authorityIn(operations({}, {}))).toBe(null);
  expect(authorityIn(operations({}, { host: "a" }))).toBe("a");
  expect(authorityIn(operations({ ":authority": "s" }, { host: "a" }))).toBe("s");
});

it("changes the headers of an answer", () => {
  const changes = headerChanges([[operations({ a: "2" }, { b: "2", c: "1" }, ["d"])]]);
  const before = ["a", "b", "d"].map((name) => ({ name, value: "1" }));
  const after = changeHeaders(before, changes).map(({ name, value }) => `${name}=${value}`);
  expect(after).toEqual(["b=1", "a=2", "b=2", "c=1"]);
});
