import type { AuthorizationMatch } from "../model/authorization.ts";
import type { PathMatch, StringMatch } from "../model/string-match.ts";
import type {
  StringMatch as WireMatch,
  StringMatch__Output as WireMatchOutput,
} from "./gen/gatehouse/policy/v1/StringMatch.ts";
import { invalid, onlyCase, required } from "./shape.ts";

/** Any pattern of the model. */
type AnyMatch = StringMatch | PathMatch;

const CASES = ["exact", "prefix", "suffix", "regex", "present", "template"] as const;

/** Writes a pattern of any kind. */
export function writeMatch(match: AnyMatch): WireMatch {
  switch (match.kind) {
    case "exact":
      return { exact: match.value };
    case "prefix":
      return { prefix: match.value };
    case "suffix":
      return { suffix: match.value };
    case "regex":
      return { regex: match.value };
    case "present":
      return { present: {} };
    case "template":
      return { template: match.value };
  }
}

/** Reads a pattern of a VirtualService: no template. */
export function readStringMatch(wire: WireMatchOutput, path: string): StringMatch {
  const match = readMatch(wire, path);
  if (match.kind === "template") throw invalid(path, "template is not allowed here");
  return match;
}

/** Reads a pattern of an AuthorizationPolicy: neither regex nor template. */
export function readAuthorizationMatch(wire: WireMatchOutput, path: string): AuthorizationMatch {
  const match = readMatch(wire, path);
  if (match.kind === "template" || match.kind === "regex") throw invalid(path, `${match.kind} is not allowed here`);
  return match;
}

/** Reads a path pattern of an AuthorizationPolicy: no regex. */
export function readPathMatch(wire: WireMatchOutput, path: string): PathMatch {
  const match = readMatch(wire, path);
  if (match.kind === "regex") throw invalid(path, "regex is not allowed here");
  return match;
}

function readMatch(wire: WireMatchOutput, path: string): AnyMatch {
  const kind = onlyCase(wire, CASES, path);
  return kind === "present" ? { kind } : { kind, value: required(wire[kind], path) };
}
