import type { StringMatch } from "@gatehouse/protos";
import type { StringMatch as StringMatchSpec } from "../resources/gen/types.ts";
import { broken, type Parsed, parsed } from "./parsed.ts";
import type { RegexChecks } from "./regex.ts";

/** What a match means that asks for nothing, and whether an empty prefix is allowed: differs from field to field. */
export interface StringMatchRules {
  readonly allowsEmptyPrefix: boolean;
  /** What `regex: "*"` is: a request for presence, the same though Istio's validation refuses it, or no valid expression. */
  readonly star: "presence" | "refusedPresence" | "invalid";
}

/**
 * Reads a StringMatch of a VirtualService; an empty or null one asks for presence.
 * @param where the field in Istio's messages: `headers`
 */
export function translateStringMatch(
  spec: StringMatchSpec | null,
  where: string,
  rules: StringMatchRules,
  regexes: RegexChecks,
): Parsed<StringMatch> {
  if (spec === null) return parsed({ kind: "present" });
  if (spec.exact !== undefined) return parsed({ kind: "exact", value: spec.exact });
  if (spec.prefix !== undefined) {
    return spec.prefix === "" && !rules.allowsEmptyPrefix
      ? broken(`"${where}": prefix string match should not be empty`)
      : parsed({ kind: "prefix", value: spec.prefix });
  }
  if (spec.regex === undefined) return parsed({ kind: "present" });
  const isStar = spec.regex === "*";
  if (isStar && rules.star === "presence") return parsed({ kind: "present" });
  const message = regexes.check(spec.regex);
  if (isStar && rules.star === "refusedPresence")
    return { value: { kind: "present" }, problem: `"${where}": ${message}` };
  return message === null ? parsed({ kind: "regex", value: spec.regex }) : broken(`"${where}": ${message}`);
}
