import type { HttpMatch, Rewrite } from "@gatehouse/protos";
import { toByteString } from "../http-request.ts";
import { toRegex } from "../policy/regex.ts";

/** Makes the new path of a path, both without query; null where it stays. */
export type PathRewriter = (path: string) => string | null;

/**
 * Prepares what a route's `rewrite` makes of a path.
 * @param match the entry by which the route is reached
 * @returns null when paths are not rewritten
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function prepareRewrite(rewrite: Rewrite | null, match: HttpMatch | null): PathRewriter | null {
  if (rewrite === null) return null;
  if (rewrite.uriRegex !== null) return regexRewriter(rewrite.uriRegex);
  if (rewrite.uri === null) return null;
  const uri = toByteString(rewrite.uri);
  const matched = match?.uri ?? null;
  // Envoy cuts off as many characters as the match has, whatever follows: prefix /a makes /b.c of /a.c.
  if (matched === null) return (path) => uri + path.slice(1);
  if (matched.kind !== "prefix") return () => uri;
  const { length } = toByteString(matched.value);
  return (path) => uri + path.slice(length);
}

function regexRewriter({ match, rewrite }: { readonly match: string; readonly rewrite: string }): PathRewriter {
  const regex = toRegex(toByteString(match));
  const substitution = parseSubstitution(toByteString(rewrite));
  return (path) => {
    let result = "";
    let end = 0;
    for (const matcher of regex.matchesIn(path)) {
      const found = substitution
        .map((part) => (typeof part === "string" ? part : (matcher.group(part) ?? "")))
        .join("");
      result += path.slice(end, matcher.start()) + found;
      end = matcher.end();
    }
    result += path.slice(end);
    // Envoy leaves the path alone when nothing would be left of it.
    return result === "" ? null : result;
  };
}

/** Texts and numbers of groups. RE2 writes a group as `\1`, the whole match as `\0` and a backslash as two. */
function parseSubstitution(text: string): readonly (string | number)[] {
  return [...text.matchAll(/\\(\d)|\\\\|[^\\]+|\\/g)].map(([part, group]) => {
    if (group !== undefined) return Number(group);
    return part === "\\\\" ? "\\" : part;
  });
}
