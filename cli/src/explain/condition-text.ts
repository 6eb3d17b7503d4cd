import { type ConditionExplanation, notField } from "@gatehouse/authz-server/engine";

const MAX_VALUES = 6;

/** `must be "a" or "b", is "c"`; of a condition that holds, only what it is. */
export function conditionText({ field, holds, expected, actual }: ConditionExplanation): string {
  const is = actualText(actual);
  const { anyOf, noneOf } = expected;
  if (holds) return is;
  const musts = [
    ...(anyOf.length > 0 ? [mustText("must", anyOf)] : []),
    ...(noneOf.length > 0 ? [mustText("must not", noneOf)] : []),
  ];
  // The condition is named after its first list.
  const second = musts.length === 2 ? ` (${notListName(field)})` : "";
  return [`${musts.join(", ")}${second}`, is].join(", ");
}

function notListName(field: string): string {
  const name = notField(field);
  return name === field ? "notValues" : name.slice(name.lastIndexOf(".") + 1);
}

function mustText(must: "must" | "must not", values: readonly string[]): string {
  if (values.includes("*")) return `${must} be present`;
  return `${must} ${isPattern(values) ? "match" : "be"} ${listText(values, "or")}`;
}

function actualText({ values, note }: ConditionExplanation["actual"]): string {
  const [only] = values;
  if (only === undefined) return note;
  const list = values.length === 1 ? quote(only) : `[${values.map(quote).join(", ")}]`;
  return `is ${list}${note === "" ? "" : ` (${note})`}`;
}

function isPattern(values: readonly string[]): boolean {
  return values.some((value) => value.includes("*") || /^[\d.:a-f]+\/\d+$/.test(value) || /^\/.*\/$/.test(value));
}

function listText(values: readonly string[], conjunction: string): string {
  const shown = values.slice(0, MAX_VALUES).map(quote);
  const more = values.length - shown.length;
  if (more > 0) return `${shown.join(", ")} ${conjunction} ${more} more`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} ${conjunction} ${last}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}
