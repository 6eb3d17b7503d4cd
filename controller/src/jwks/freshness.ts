/**
 * How long an answer says that it may be used, in milliseconds; null when it does not say.
 * @param headers names in lower case
 * @see https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1
 */
export function freshnessMs(headers: ReadonlyMap<string, string>, nowMs: number): number | null {
  const directives = (headers.get("cache-control") ?? "")
    .toLowerCase()
    .split(",")
    .map((part) => part.trim());
  if (directives.some((directive) => /^no-(store|cache)\b/.test(directive))) return 0;
  const maxAge = directives
    .map((directive) => /^max-age="?(\d{1,10})"?$/.exec(directive)?.[1])
    .find((sec) => sec !== undefined);
  if (maxAge !== undefined) return Math.max(0, Number(maxAge) - ageSec(headers)) * 1000;
  const expires = headers.get("expires");
  if (expires === undefined) return null;
  const atMs = Date.parse(expires);
  if (Number.isNaN(atMs)) return 0; // "0" and the like mean that it is old already
  const sentMs = Date.parse(headers.get("date") ?? "");
  return Math.max(0, atMs - (Number.isNaN(sentMs) ? nowMs : sentMs));
}

function ageSec(headers: ReadonlyMap<string, string>): number {
  const age = headers.get("age") ?? "";
  return /^\d{1,10}$/.test(age) ? Number(age) : 0;
}
