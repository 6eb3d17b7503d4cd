import { RE2JS } from "re2js";

const MAX_REGEX_LENGTH = 1024;

/** Why a regular expression is not accepted, or null. */
export function checkRegex(regex: string): string | null {
  if (regex === "") return "regex string match should not be empty";
  // Characters outside ASCII count more than once in Istio, which measures bytes.
  if (encodeURIComponent(regex.toWellFormed()).replaceAll(/%[0-9A-F]{2}/g, "x").length > MAX_REGEX_LENGTH) {
    return `regex is too large, max length allowed is ${MAX_REGEX_LENGTH}`;
  }
  try {
    RE2JS.compile(regex);
    return null;
  } catch (error) {
    const cause = error instanceof Error ? error.message : "invalid";
    return `${cause}; Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)`;
  }
}

/** Why a substitution for what a valid regular expression finds is not accepted, or null. Envoy refuses the same ones. */
export function checkSubstitution(regex: string, substitution: string): string | null {
  for (const [written, character = ""] of substitution.matchAll(/\\(.?)/gs)) {
    if (character === "\\") continue;
    if (!/^\d$/.test(character))
      return `substitution: "${written}" is neither a group (\\0 to \\9) nor a backslash (\\\\)`;
    const groups = RE2JS.compile(regex).groupCount();
    if (Number(character) > groups) return `substitution: "${written}" names a group, but the pattern has ${groups}`;
  }
  return null;
}
