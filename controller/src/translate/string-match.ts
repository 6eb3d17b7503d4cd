import type { AuthorizationMatch } from "@gatehouse/protos";

/**
 * Reads a value of an AuthorizationPolicy: `*` is presence, `*x` a suffix, `x*` a prefix, anything else exact.
 * Tested in this order, so `*a*` is the suffix `a*` with a literal star.
 */
export function toStringMatch(text: string): AuthorizationMatch {
  if (text === "*") return { kind: "present" };
  if (text.startsWith("*")) return { kind: "suffix", value: text.slice(1) };
  if (text.endsWith("*")) return { kind: "prefix", value: text.slice(0, -1) };
  return { kind: "exact", value: text };
}
