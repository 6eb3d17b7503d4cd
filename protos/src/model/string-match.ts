/**
 * How one string is compared. `present` is Istio's `*`: any value; for claims, paths and principals it must be non-empty.
 * `regex` is RE2 syntax, matched against the whole string; it occurs in VirtualServices only.
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule
 */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "suffix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  | { readonly kind: "present" };

/** A path pattern of an AuthorizationPolicy. `template` holds a whole path with `{*}` (one segment) and `{**}` (any rest). */
export type PathMatch = Exclude<StringMatch, { kind: "regex" }> | { readonly kind: "template"; readonly value: string };
