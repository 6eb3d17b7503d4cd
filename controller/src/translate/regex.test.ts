import { expect, test } from "vitest";
import { checkSubstitution } from "./regex.ts";

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
  expect(checkSubstitution(regex, substitution)).toBe(expected);
});
