import type { HttpMatch, Rewrite } from "@gatehouse/protos";
import { RE2JS } from "re2js";
import type { RequestAttributes } from "../authz/attributes.ts";
import { toByteString } from "../http-request.ts";

/** `path` with query, `authority`; null where the request keeps its own. */
export interface Rewritten {
  readonly path: string | null;
  readonly authority: string | null;
}

export type Rewriter = (request: RequestAttributes) => Rewritten;

/**
 * Prepares what a route's `rewrite` makes of a request.
 * @param match the entry by which the route is reached
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function prepareRewrite(rewrite: Rewrite | null, match: HttpMatch | null): Rewriter {
  if (rewrite === null) return () => KEPT;
  const authority = rewrite.authority === "" ? null : toByteString(rewrite.authority);
  const rewritePath = preparePath(rewrite, match);
  return (request) => ({ path: rewritePath === null ? null : rewritePath(request.path) + request.query, authority });
}

const KEPT: Rewritten = { path: null, authority: null };

function preparePath(rewrite: Rewrite, match: HttpMatch | null): ((path: string) => string) | null {
  if (rewrite.uriRegex !== null) {
    const regex = RE2JS.compile(toByteString(rewrite.uriRegex.match));
    // Envoy's substitution writes groups as \1, re2js as $1.
    const substitution = toByteString(rewrite.uriRegex.rewrite)
      .replaceAll("$", "\\$")
      .replace(/\\(\d)/g, "$$$1");
    return (path) => regex.matcher(path).replaceAll(substitution);
  }
  if (rewrite.uri === null) return null;
  const uri = toByteString(rewrite.uri);
  const matched = match?.uri ?? null;
  if (matched === null) return (path) => uri + path.slice(1);
  if (matched.kind !== "prefix") return () => uri;
  const { length } = toByteString(matched.value);
  return (path) => uri + path.slice(length);
}
