import type { HeaderOperations } from "@gatehouse/protos";
import type { HeaderMutation } from "../decision.ts";
import { headerLineName, toByteString } from "../http-request.ts";

/**
 * The header operations of a route and of its destination in Envoy's order: remove, then set, then add.
 * @param levels outer first; the more specific level is applied last
 */
export function headerChanges(levels: readonly HeaderOperations[]): {
  readonly set: readonly HeaderMutation[];
  readonly remove: readonly string[];
} {
  const set: HeaderMutation[] = [];
  for (const operations of levels) {
    for (const { name, value } of operations.set) set.push(mutation(name, value, false));
    for (const { name, value } of operations.add) set.push(mutation(name, value, true));
  }
  const kept = new Set(set.map(({ name }) => name));
  return { set, remove: levels.flatMap(({ remove }) => remove).filter((name) => !kept.has(name)) };
}

function mutation(name: string, value: string, append: boolean): HeaderMutation {
  return { name: headerLineName(name), value: toByteString(value), append };
}
