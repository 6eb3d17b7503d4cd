import { type Matcher, RE2JS } from "re2js";
import { Shared } from "./shared.ts";

/**
 * An expression of RE2, matched within what one request may cost. RE2 is linear in the text for any one expression, but a large program
 * on a long path still takes a second, and a host may have hundreds.
 */
export class Regex {
  readonly #re2: RE2JS;
  readonly #size: number;

  /** @throws RE2JSException */
  constructor(pattern: string) {
    this.#re2 = RE2JS.compile(pattern);
    this.#size = this.#re2.programSize();
  }

  /** Whether the whole text matches. @throws RegexWorkExceeded */
  test(text: string): boolean {
    spend(this.#size, text.length);
    return this.#re2.testExact(text);
  }

  /** Its matches in a text, one after another. @throws RegexWorkExceeded */
  *matchesIn(text: string): Generator<Matcher, void, void> {
    const matcher = this.#re2.matcher(text);
    for (let end = 0; ; end = matcher.end()) {
      spend(this.#size, text.length - end);
      if (!matcher.find()) return;
      yield matcher;
    }
  }
}

/** The expressions that a request is held against would take too long. */
export class RegexWorkExceeded extends Error {}

/** Instructions times characters of one expression and one text: a second at the very worst. */
const MAX_WORK = 32 * 1024 * 1024;
/** Likewise, of several; most take far less than the most that they could, so only the clock tells. */
const WORK_UNTIL_LOOK = 4 * 1024 * 1024;
const MAX_MS = 250;

/** What is done for one request. */
interface RegexWork {
  readonly nowMs: () => number;
  sinceLook: number;
  /** At the first look; null: there was none, as for nearly all requests. */
  startedMs: number | null;
}

let current: RegexWork | null = null;

/** Does something for one request, which must not wait. @param nowMs a clock in milliseconds @throws RegexWorkExceeded */
export function withinRegexWork<Result>(nowMs: () => number, run: () => Result): Result {
  current = { nowMs, sinceLook: 0, startedMs: null };
  try {
    return run();
  } finally {
    current = null;
  }
}

function spend(instructions: number, characters: number): void {
  if (current === null) return;
  const work = instructions * (characters + 1);
  if (work > MAX_WORK) throw new RegexWorkExceeded("a regular expression is too large for a text of this length");
  current.sinceLook += work;
  if (current.sinceLook > WORK_UNTIL_LOOK) look(current);
}

function look(work: RegexWork): void {
  work.sinceLook = 0;
  const nowMs = work.nowMs();
  work.startedMs ??= nowMs;
  if (nowMs - work.startedMs > MAX_MS) throw new RegexWorkExceeded("the regular expressions take too long");
}

/** Many routes have the same ones, and delegates are compiled with each of their roots. The longest cost most. */
const compiled = new Shared<Regex>(Number.POSITIVE_INFINITY);

/** Compiles an expression; equal ones are compiled once, as long as the first is in use. @throws RE2JSException */
export function toRegex(pattern: string): Regex {
  return compiled.get(pattern, () => new Regex(pattern));
}
