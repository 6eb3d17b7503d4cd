import type { Parsed } from "./parsed.ts";
import type { Findings } from "./report.ts";

/** One list of values as written, with what its diagnostics say about it. */
export interface ValueList {
  readonly items: readonly string[];
  /** `spec.rules[0].to[0].operation.paths` */
  readonly path: string;
  /** The name in messages, as Istio spells it: `Paths`, or the key of a condition. */
  readonly name: string;
  /** Puts a message about one value into the words of its place. */
  readonly explain: (message: string) => string;
}

/** The two lists of one condition. */
export interface ConditionLists {
  /** For people, as `Condition.field`. */
  readonly field: string;
  readonly values: ValueList;
  readonly notValues: ValueList;
}

/** The translated lists. `isBroken`: a list held a value that can't be used and was left out. */
export interface ComparedLists<Value> {
  readonly field: string;
  readonly values: readonly Value[];
  readonly notValues: readonly Value[];
  readonly isBroken: boolean;
}

/**
 * Reads both lists of a condition. One bad value takes its whole list away, which makes the condition wider: right for DENY;
 * the caller drops the rule of an ALLOW.
 */
export function readLists<Value>(
  lists: ConditionLists,
  parse: (text: string, name: string) => Parsed<Value>,
  findings: Findings,
): ComparedLists<Value> {
  const values = readList(lists.values, parse, findings);
  const notValues = readList(lists.notValues, parse, findings);
  return {
    field: lists.field,
    values: values ?? [],
    notValues: notValues ?? [],
    isBroken: values === null || notValues === null,
  };
}

function readList<Value>(
  list: ValueList,
  parse: (text: string, name: string) => Parsed<Value>,
  findings: Findings,
): readonly Value[] | null {
  const values: Value[] = [];
  let isBroken = false;
  for (const [i, text] of list.items.entries()) {
    const { value, problem } = parse(text, list.name);
    const message = text === "" ? `empty value not allowed, found in ${list.name}` : problem;
    if (message !== null) findings.invalid(`${list.path}[${i}]`, list.explain(message));
    if (value === null) isBroken = true;
    else values.push(value);
  }
  return isBroken ? null : values;
}
