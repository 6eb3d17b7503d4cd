/**
 * Reads what follows `request.auth.claims` in an AuthorizationPolicy: `[a][b]` is the path a, b; names are literal, dots included.
 * Where the brackets don't pair, everything between the first and the last one is a single name, as in Istio: `[a[b]]` is `a[b]`.
 * @returns null when it is no bracket form, or a name is empty
 */
export function parseClaimBrackets(text: string): readonly string[] | null {
  const names = splitGroups(text) ?? singleName(text);
  return names === null || names.length === 0 || names.includes("") ? null : names;
}

/** `[name]` to `name`, or null. */
export function parseBracketedName(text: string): string | null {
  return text.length > 2 && text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : null;
}

function singleName(text: string): readonly string[] | null {
  const name = parseBracketedName(text);
  return name === null ? null : [name];
}

function splitGroups(text: string): readonly string[] | null {
  const names: string[] = [];
  let begin = 0;
  while (begin < text.length) {
    const end = text.indexOf("]", begin);
    const nextOpen = text.indexOf("[", begin + 1);
    if (text[begin] !== "[" || end < 0 || (nextOpen >= 0 && nextOpen < end)) return null;
    names.push(text.slice(begin + 1, end));
    begin = end + 1;
  }
  return names;
}

const CLAIM_PREFIX = "@request.auth.claims";

/**
 * Reads a header key of a VirtualService as a claim: `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`, the prefix in any case.
 * Simpler than in AuthorizationPolicies: the inner text is split on the two characters `][`.
 * @returns the path, perhaps with empty names; null when the key is an ordinary header name
 */
export function parseClaimHeaderKey(key: string): readonly string[] | null {
  if (!key.toLowerCase().startsWith(CLAIM_PREFIX)) return null;
  const rest = key.slice(CLAIM_PREFIX.length);
  if (rest.startsWith(".") && rest.length > 1) return rest.slice(1).split(".");
  if (rest.startsWith("[") && rest.endsWith("]") && rest.length > 2) return rest.slice(1, -1).split("][");
  return null;
}
