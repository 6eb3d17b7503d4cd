import type { HttpMatch, StringMatch } from "@gatehouse/protos";
import { asciiLowerCase, headerLineName, toByteString } from "../http-request.ts";
import { claimDimension, headerDimension, METHOD, PATH } from "../policy/dimensions.ts";
import { type ConditionKeys, conditionKeys, type Dimension, type Parts } from "../policy/match-keys.ts";
import type { Encode } from "../policy/string-matcher.ts";
import type { TextKey } from "../policy/text-index.ts";

/** What a route can be found by. `without...` never counts. @param match null: every request */
export function partsOfRoute(match: HttpMatch | null): Parts {
  if (match === null) return [];
  const conditions = [
    uriKeys(match),
    match.method && keys(METHOD, match.method, toByteString),
    match.authority && keys(AUTHORITY, match.authority, toByteString),
    // What stands in the line `:path` is not what a condition on it is compared with.
    ...match.headers.map(({ name, match: wanted }) =>
      headerLineName(name) === ":path" ? undefined : keys(headerDimension(headerLineName(name)), wanted, toByteString),
    ),
    ...match.claims.map(({ path, match: wanted }) => keys(claimDimension(path), wanted, (text) => text)),
  ];
  return conditions.flatMap((found) => (found === undefined || found === null ? [] : [[[found]]]));
}

const FOLDED_PATH: Dimension = { id: "folded path", cost: 0.2, read: ({ path }) => asciiLowerCase(path) };
const AUTHORITY: Dimension = { id: "authority", cost: 0.2, read: ({ request }) => request.host };

function uriKeys({ uri, ignoreUriCase }: HttpMatch): ConditionKeys | undefined {
  if (uri === null) return undefined;
  return ignoreUriCase
    ? keys(FOLDED_PATH, uri, (text) => asciiLowerCase(toByteString(text)))
    : keys(PATH, uri, toByteString);
}

function keys(dimension: Dimension, match: StringMatch, encode: Encode): ConditionKeys | undefined {
  return conditionKeys(dimension, [textKey(match, encode)]);
}

function textKey(match: StringMatch, encode: Encode): TextKey | undefined {
  switch (match.kind) {
    case "exact":
    case "prefix":
    case "suffix":
      return { kind: match.kind, value: encode(match.value) };
    case "regex":
    case "present":
      return undefined;
  }
}
