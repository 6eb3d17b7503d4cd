import type { PathMatch } from "@gatehouse/protos";
import { broken, type Parsed, parsed } from "./parsed.ts";
import { toStringMatch } from "./string-match.ts";

// The characters of a path segment in RFC 3986, without percent-encoding rules, as Istio has them.
const LITERAL_SEGMENT = /^[a-zA-Z0-9-._~%!$&'()+,;:@=]+$/;

/**
 * Reads a value of `paths`: a template when it contains `{*}` or `{**}`, else a plain string match.
 * A broken template has no value: Istio would match something that its author can't have meant.
 * @param name the field for the message, as Istio spells it: `Paths`, `NotPaths`
 */
export function parsePath(text: string, name: string): Parsed<PathMatch> {
  const isTemplate = text.includes("{*}") || text.includes("{**}");
  const problem = checkSegments(text, isTemplate);
  const message = problem === null ? null : problem.replace("FIELD", () => name);
  if (!isTemplate) return { value: toStringMatch(text), problem: message };
  return message === null ? parsed({ kind: "template", value: text }) : broken(message);
}

/** @returns Istio's message with FIELD for the name of the field, or null */
function checkSegments(text: string, isTemplate: boolean): string | null {
  const path = text.replace(/^\/+|\/+$/g, "");
  const unsupported = `invalid or unsupported path ${path}, found in FIELD.`;
  let seenRest = false;
  for (const segment of path.split("/")) {
    if (segment === "{*}" || segment === "{**}") {
      if (seenRest) return `${unsupported} {**} is not the last operator`;
      seenRest = segment === "{**}";
    } else if (/[{}]/.test(segment)) {
      return `${unsupported} Contains '{' or '}' beyond a supported path template`;
    } else if (isTemplate && !LITERAL_SEGMENT.test(segment)) {
      return `${unsupported} Contains segment ${segment} with invalid string literal`;
    }
  }
  return null;
}
