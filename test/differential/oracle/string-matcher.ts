/** A part of an Envoy configuration. */
export type Config = Readonly<Record<string, unknown>>;

/** The value syntax of AuthorizationPolicy, tested in this order: `*`, `*suffix`, `prefix*`, exact. */
export function stringMatcher(value: string, ignoreCase = false): Config {
  const text = ignoreCase ? { ignore_case: true } : {};
  if (value === "*") return { safe_regex: { regex: ".+" } };
  if (value.startsWith("*")) return { suffix: value.slice(1), ...text };
  if (value.endsWith("*")) return { prefix: value.slice(0, -1), ...text };
  return { exact: value, ...text };
}

/** A claim is matched as a text, or as a list with a text that matches; path walking goes through objects only. */
export function claimMatcher(path: readonly string[], matcher: Config, invert = false): Config {
  return {
    filter: "envoy.filters.http.jwt_authn",
    path: ["payload", ...path].map((key) => ({ key })),
    value: {
      or_match: { value_matchers: [{ string_match: matcher }, { list_match: { one_of: { string_match: matcher } } }] },
    },
    ...(invert ? { invert: true } : {}),
  };
}
