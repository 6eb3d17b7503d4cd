import type { RequestAttributes } from "../authz/attributes.ts";
import { ALLOW, type Allow } from "../decision.ts";
import { bareValue } from "../http-request.ts";
import type { Forward } from "./prepared-action.ts";

/**
 * Puts all changes of a request that goes on together.
 * Envoy overwrites a header or removes it, it cannot add a line; so a header that gets several values gets them joined by `,`.
 * It removes last, so what is set is never also removed.
 * @param route null: routing is not our business
 */
export function allowRequest(attributes: RequestAttributes, route: Forward | null): Allow {
  const { request, path, query, addedHeaders, removedHeaders } = attributes;
  // Most requests: a token is taken away, or nothing is.
  if (route === null && addedHeaders.length === 0 && removedHeaders.length < 2 && path + query === request.path) {
    return removedHeaders.length === 0 ? ALLOW : { ...ALLOW, removeHeaders: removedHeaders };
  }
  const set = new Map<string, string>();
  const newPath = route?.path ?? path + query;
  if (newPath !== request.path) set.set(":path", newPath);
  for (const { name, value } of addedHeaders) set.set(name, joined(set.get(name), value));

  const removedByRoute = route?.removeHeaders ?? [];
  for (const name of removedByRoute) set.delete(name);
  for (const { name, value } of route?.setHeaders ?? []) set.set(name, value);

  const removed = new Set([...removedHeaders, ...removedByRoute].filter((name) => !set.has(name)));
  const responseHeaders = route?.responseHeaders ?? [];
  if (set.size + removed.size + responseHeaders.length === 0) return ALLOW;
  const setHeaders = Array.from(set, ([name, value]) => ({ name, value }));
  return { kind: "allow", setHeaders, removeHeaders: [...removed], responseHeaders };
}

// On lines of their own the receiver would drop blanks around each value.
function joined(before: string | undefined, value: string): string {
  const bare = bareValue(value);
  return before === undefined ? bare : `${before},${bare}`;
}
