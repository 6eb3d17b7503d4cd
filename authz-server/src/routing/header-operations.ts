import type { HeaderOperations } from "@gatehouse/protos";
import type { HeaderMutation } from "../decision.ts";
import type { HeaderLine } from "../http-request.ts";
import { toByteString } from "../http-request.ts";

/** What becomes of headers, worked out when policy arrives. No name is both set and removed. */
export interface HeaderChanges {
  /** In order. The first of a name overwrites unless it says `append`; all that follow append. */
  readonly set: readonly HeaderMutation[];
  readonly remove: readonly string[];
}

/**
 * Puts header operations together as Envoy applies them: level by level, and in each level first all removals, then what is set and added.
 * @param levels the first is applied first
 */
export function headerChanges(levels: readonly (readonly HeaderOperations[])[]): HeaderChanges {
  const names = new Map<string, Fate>();
  const fateOf = (name: string): Fate => names.get(name) ?? { keeps: true, values: [] };
  for (const level of levels) {
    for (const name of level.flatMap(({ remove }) => remove)) names.set(name, { keeps: false, values: [] });
    for (const operations of level) {
      for (const { name, value } of operations.set) names.set(name, { keeps: false, values: [value] });
      for (const { name, value } of operations.add) {
        const { keeps, values } = fateOf(name);
        names.set(name, { keeps, values: [...values, value] });
      }
    }
  }
  const entries = [...names].filter(([name]) => !isAuthority(name));
  return {
    set: entries.flatMap(([name, { keeps, values }]) =>
      values.map((value, at) => ({ name, value: toByteString(value), append: keeps || at > 0 })),
    ),
    remove: entries.filter(([, { values }]) => values.length === 0).map(([name]) => name),
  };
}

/** The host that request operations ask for, or null: `host` and `:authority` are no headers to Envoy but part of the route. */
export function authorityIn({ set, add }: HeaderOperations): string | null {
  const written = [...add, ...set].findLast(({ name, value }) => isAuthority(name) && value !== "");
  return written === undefined ? null : toByteString(written.value);
}

/** Carries changes out on the headers of an answer of our own. */
export function changeHeaders(lines: readonly HeaderLine[], { set, remove }: HeaderChanges): readonly HeaderLine[] {
  let changed = lines.filter(({ name }) => !remove.includes(name));
  for (const { name, value, append } of set) {
    if (!append) changed = changed.filter((line) => line.name !== name);
    changed = [...changed, { name, value }];
  }
  return changed;
}

/** What is known of one header: whether the value that arrives is kept, and what follows it. */
interface Fate {
  readonly keeps: boolean;
  readonly values: readonly string[];
}

function isAuthority(name: string): boolean {
  return name === "host" || name === ":authority";
}
