/** Ranges of letters are gone through one by one where case is ignored, and some are long. */
const COST_OF_FOLDED_RANGE = 2000;

/** A class of Unicode has hundreds of ranges. */
const COST_OF_UNICODE_CLASS = 100;

/**
 * What it costs to compile a regular expression, told from its text alone: about as many instructions as its program has, mostly fewer than
 * twice as many, and what its character classes take besides. A thousand are about a millisecond, and some hundred kilobytes.
 */
export function regexCost(regex: string): number {
  const unicodeClasses = regex.match(/\\[pP]/g)?.length ?? 0;
  const isFolded = /\(\?[a-zA-Z-]*i/.test(regex) && /[^\0-\x7f]|\\x\{/.test(regex);
  const foldedRanges = isFolded ? (regex.match(/-/g)?.length ?? 0) : 0;
  return programSize(regex) + unicodeClasses * COST_OF_UNICODE_CLASS + foldedRanges * COST_OF_FOLDED_RANGE;
}

/** About how many instructions the program of a regular expression has. */
export function programSize(regex: string): number {
  const outer: number[] = [];
  let sum = 0;
  let last = 0;
  for (const { 0: token, groups = {} } of regex.matchAll(TOKEN)) {
    const { quoted, flags, least, most } = groups;
    if (flags !== undefined) continue;
    if (token.startsWith("(")) {
      outer.push(sum + last);
      [sum, last] = [0, 0];
    } else if (token === ")") {
      last = sum + last + 2;
      sum = outer.pop() ?? 0;
    } else if (least !== undefined) {
      // What is repeated a number of times is compiled as often.
      last = Math.max(Number(least) + (most === "," ? 1 : 0), Number(most?.slice(1) ?? 0)) * (last + 1);
    } else {
      sum += last;
      last = quoted?.length ?? 1;
    }
  }
  return outer.reduce((size, part) => size + part, sum + last);
}

// The parts that count: escapes (one character), quoted text, classes, beginnings of groups, repetitions.
const TOKEN =
  /\\Q(?<quoted>.*?)(?:\\E|$)|\\(?:[pPx]\{[^}]*\}|[pP].|x..|.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|(?<flags>\(\?[a-zA-Z-]*\))|\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?|\{(?<least>\d+)(?<most>,\d*)?\}|./gsu;
