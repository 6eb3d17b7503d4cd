import type { RequestAttributes } from "../authz/attributes.ts";
import { ALLOW, type Allow } from "../decision.ts";
import type { HeaderLine } from "../http-request.ts";
import type { Forward } from "./route.ts";

/**
 * Puts all changes of a request that goes on together.
 * Envoy overwrites a header or removes it, it cannot add a line; so a header that gets several values gets them joined by `,`.
 * It removes last, so what is set is never also removed.
 * @param route null: routing is not our business
 */
export function allowRequest(attributes: RequestAttributes, route: Forward | null): Allow {
  const { request, path, query, addedHeaders, removedHeaders } = attributes;
  const set = new Map<string, string>();
  const newPath = route?.path ?? path + query;
  if (newPath !== request.path) set.set(":path", newPath);
  for (const { name, value } of addedHeaders) set.set(name, joined(set.get(name), value));
  const removedByRoute = route?.removeHeaders ?? [];
  for (const { name, value, append } of route?.setHeaders ?? []) {
    const before = removedByRoute.includes(name)
      ? set.get(name)
      : (set.get(name) ?? sentValue(attributes.headers, name));
    set.set(name, append ? joined(before, value) : value);
  }
  const removed = new Set([...removedHeaders, ...removedByRoute].filter((name) => !set.has(name)));
  const responseHeaders = route?.responseHeaders ?? [];
  if (set.size + removed.size + responseHeaders.length === 0) return ALLOW;
  const setHeaders = Array.from(set, ([name, value]) => ({ name, value }));
  return { kind: "allow", setHeaders, removeHeaders: [...removed], responseHeaders };
}

function sentValue(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter((line) => line.name === name).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(",");
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}
