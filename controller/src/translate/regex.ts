import { RE2JS } from "re2js";
import { regexCost } from "./regex-cost.ts";

const MAX_REGEX_LENGTH = 1024;

/** What Istio's Envoy takes of a single one (`re2.max_program_size.error_level`): the time of a match grows with it. */
const MAX_PROGRAM_SIZE = 32_768;

/** What all of one object may cost, equal ones counted once. Every server compiles them in one turn: it is a quarter of a second. */
const MAX_COST = 8 * MAX_PROGRAM_SIZE;

/** Checks the regular expressions of one object. */
export class RegexChecks {
  readonly #known = new Map<string, Compiled>();
  #left = MAX_COST;

  /** Why a regular expression is not accepted, or null. */
  check(regex: string): string | null {
    return this.#compile(regex).problem;
  }

  /** Why a substitution for what a valid regular expression finds is not accepted, or null. Envoy refuses the same ones. */
  checkSubstitution(regex: string, substitution: string): string | null {
    for (const [written, character = ""] of substitution.matchAll(/\\(.?)/gs)) {
      if (character === "\\") continue;
      if (!/^\d$/.test(character))
        return `substitution: "${written}" is neither a group (\\0 to \\9) nor a backslash (\\\\)`;
      const { groups } = this.#compile(regex);
      if (Number(character) > groups) return `substitution: "${written}" names a group, but the pattern has ${groups}`;
    }
    return null;
  }

  #compile(regex: string): Compiled {
    const known = this.#known.get(regex);
    if (known !== undefined) return known;
    const compiled = this.#compileNow(regex);
    this.#known.set(regex, compiled);
    return compiled;
  }

  #compileNow(regex: string): Compiled {
    if (regex === "") return refused("regex string match should not be empty");
    // Characters outside ASCII count more than once in Istio, which measures bytes.
    if (encodeURIComponent(regex.toWellFormed()).replaceAll(/%[0-9A-F]{2}/g, "x").length > MAX_REGEX_LENGTH) {
      return refused(`regex is too large, max length allowed is ${MAX_REGEX_LENGTH}`);
    }
    const cost = regexCost(regex);
    if (cost > this.#left) {
      return refused(
        `regex takes about ${cost} instructions, and of the ${MAX_COST} that all of one object may take ${this.#left} are left; repeat less ({n}), or divide the object`,
      );
    }
    this.#left -= cost;
    try {
      const compiled = RE2JS.compile(regex);
      const size = compiled.programSize();
      if (size > MAX_PROGRAM_SIZE) {
        return refused(`RE2 program size of ${size} > max program size of ${MAX_PROGRAM_SIZE}; repeat less ({n})`);
      }
      return { problem: null, groups: compiled.groupCount() };
    } catch (error) {
      const cause = error instanceof Error ? error.message : "invalid";
      return refused(`${cause}; Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)`);
    }
  }
}

interface Compiled {
  readonly problem: string | null;
  readonly groups: number;
}

function refused(problem: string): Compiled {
  return { problem, groups: 0 };
}
