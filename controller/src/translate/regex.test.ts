import { expect, test } from "vitest";
import { RegexChecks } from "./regex.ts";

test.each([
  ["(a)(b)", "\\2-\\1", null],
  ["a", "\\0", null],
  ["a", "\\\\1", null],
  ["a", "$1", null],
  ["a", "", null],
  ["(a)", "\\2", 'substitution: "\\2" names a group, but the pattern has 1'],
  ["a", "\\x", 'substitution: "\\x" is neither a group (\\0 to \\9) nor a backslash (\\\\)'],
  ["a", "b\\", 'substitution: "\\" is neither a group (\\0 to \\9) nor a backslash (\\\\)'],
])("checks for %j the substitution %j", (regex, substitution, expected) => {
  expect(new RegexChecks().checkSubstitution(regex, substitution)).toBe(expected);
});

const TOO_MUCH =
  "regex takes about 2001 instructions, and of the 262144 that all of one object may take 13 are left; repeat less ({n}), or divide the object";

test("takes no more than some hundred large expressions of one object; small ones still fit", () => {
  const checks = new RegexChecks();
  const problems = Array.from({ length: 1000 }, (_, at) => checks.check(`x{1000}${String.fromCodePoint(0x4e00 + at)}`));
  expect([problems.indexOf(TOO_MUCH), problems.lastIndexOf(null)]).toEqual([131, 130]);
  expect(checks.check("/api/.*")).toBeNull();
});

test("counts an expression once, however often it is used", () => {
  const checks = new RegexChecks();
  const before = process.cpuUsage();
  for (let i = 0; i < 10_000; i++) expect(checks.check("(x{10}){100}")).toBeNull();
  for (let i = 0; i < 10_000; i++) expect(checks.checkSubstitution("(x{10}){100}", "\\1\\1\\1\\1")).toBeNull();
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
});

test("takes a single one that is as large as Istio's Envoy allows, and none that is larger", () => {
  const checks = new RegexChecks();
  expect(checks.check("a{1000}".repeat(32))).toBeNull();
  expect(checks.check("a{1000}".repeat(33))).toBe(
    "RE2 program size of 33002 > max program size of 32768; repeat less ({n})",
  );
});

test.each([
  ["grows with each level", "((a{1,100}){1,100}){1,100}"],
  ["repeats much", `(${"a".repeat(1000)}){1000}`],
  ["ignores the case of all letters", `(?i)${"[!-\\x{10ffff}]".repeat(60)}${"[é-\u{10ffff}]".repeat(30)}`],
  ["names classes", "\\pL".repeat(340)],
])("takes little time for an expression that %s", (_, regex) => {
  const before = process.cpuUsage();
  const checks = new RegexChecks();
  for (let i = 0; i < 100; i++) checks.check(`${regex}${i}`);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
});
