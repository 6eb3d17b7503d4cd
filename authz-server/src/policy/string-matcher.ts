import type { StringMatch } from "@gatehouse/protos";
import { toRegex } from "./regex.ts";

/** Tells whether a text fits. */
export type TextTest = (text: string) => boolean;

/** What is done to the texts of a policy before they are compared with those of a request. */
export type Encode = (text: string) => string;

/**
 * One test for a list of alternatives: exact values by a set, then prefixes, suffixes and the rest.
 * `present` asks for at least one character, none of them a newline (Istio writes it as the regular expression `.+`).
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function compileAnyOf(matches: readonly StringMatch[], encode: Encode): TextTest {
  const exact = new Set<string>();
  const tests: TextTest[] = [];
  for (const match of matches) {
    if (match.kind === "exact") exact.add(encode(match.value));
    else tests.push(compileOne(match, encode));
  }
  if (tests.length === 0) return (text) => exact.has(text);
  return (text) => exact.has(text) || tests.some((test) => test(text));
}

/** The test of one match. @throws RE2JSException for a regular expression that is not RE2 */
export function compileOne(match: StringMatch, encode: Encode): TextTest {
  switch (match.kind) {
    case "exact": {
      const value = encode(match.value);
      return (text) => text === value;
    }
    case "prefix": {
      const value = encode(match.value);
      return (text) => text.startsWith(value);
    }
    case "suffix": {
      const value = encode(match.value);
      return (text) => text.endsWith(value);
    }
    case "regex":
      return compileRegex(encode(match.value));
    case "present":
      return isNonEmptyLine;
  }
}

/**
 * RE2, matched against the whole text. JavaScript's own RegExp means other things by the same text, and can take exponential time.
 * @throws RE2JSException
 */
export function compileRegex(pattern: string): TextTest {
  const regex = toRegex(pattern);
  return (text) => regex.test(text);
}

function isNonEmptyLine(text: string): boolean {
  return text !== "" && !text.includes("\n");
}
