import type { TextTest } from "./string-matcher.ts";

/**
 * Istio's path template: `{*}` is one segment of at least one character, `{**}` any rest. The rest of the text is literal.
 * In Istio a wildcard matches only the characters that RFC 3986 allows in a path. `wide` makes it match any character (but `/`, for
 * a segment): a DENY must not be evaded by an odd byte.
 */
export function compileTemplate(template: string, wide: boolean): TextTest {
  const parts = template.split(/(\{\*\*?\})/);
  const pattern = parts.map((part) => OPERATORS[wide ? "wide" : "exact"][part] ?? escapeLiteral(part)).join("");
  // Every operator is followed by a literal or the end, and consists of one repeated class: no exponential backtracking; the path's
  // length bounds the rest.
  const regex = new RegExp(`^(?:${pattern})$`, "s");
  return (path) => regex.test(path);
}

// RFC 3986's pchar. Observed on Envoy 1.40 character by character; `*` belongs to it.
const SEGMENT = "a-zA-Z0-9\\-._~%!$&'()*+,;:@=";

const OPERATORS: Readonly<Record<"exact" | "wide", Readonly<Record<string, string>>>> = {
  exact: { "{*}": `[${SEGMENT}]+`, "{**}": `[${SEGMENT}/]*` },
  wide: { "{*}": "[^/]+", "{**}": ".*" },
};

function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
