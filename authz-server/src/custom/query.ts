import type { RequestChange } from "./provider-answer.ts";

/**
 * Sets or removes a query parameter as Envoy's filter does: names and values are compared and written as they stand, and the whole query
 * comes out ordered by name, `?flag` as `?flag=`.
 * @param path with query
 */
export function changeQuery(
  path: string,
  change: Extract<RequestChange, { kind: "setParam" | "removeParam" }>,
): string {
  const question = path.indexOf("?");
  const pairs = question < 0 ? [] : pairsOf(path.slice(question + 1));
  const rest = pairs.filter(({ name }) => name !== change.name);
  const changed = change.kind === "setParam" ? [...rest, { name: change.name, value: change.value }] : rest;
  const query = changed
    .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    .map(({ name, value }) => `${name}=${value}`)
    .join("&");
  const target = question < 0 ? path : path.slice(0, question);
  return query === "" ? target : `${target}?${query}`;
}

function pairsOf(query: string): readonly { readonly name: string; readonly value: string }[] {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? { name: pair, value: "" } : { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
    });
}
