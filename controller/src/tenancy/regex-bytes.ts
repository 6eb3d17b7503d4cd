import type { HttpMatch, HttpRoute, StringMatch, VirtualService } from "@gatehouse/protos";
import { programSize } from "../translate/regex-cost.ts";

/** What an instruction of a compiled regular expression takes of each server's memory. */
const BYTES_PER_INSTRUCTION = 64;

/** A program of that many instructions for each of its characters is no larger than others. */
const USUAL_PER_CHARACTER = 16;

/** Memory that servers need for regular expressions that grow: `x{1000}` is a short text and a large program. Equal ones count once. */
export function regexBytes({ http }: VirtualService): number {
  let bytes = 0;
  for (const regex of new Set(http.flatMap(regexesOf))) {
    bytes += Math.max(0, programSize(regex) - USUAL_PER_CHARACTER * regex.length) * BYTES_PER_INSTRUCTION;
  }
  return bytes;
}

function regexesOf({ match, rewrite, cors }: HttpRoute): readonly string[] {
  const matches = [...match.flatMap(stringMatchesOf), ...(cors?.allowOrigins ?? [])];
  const regexes = matches.flatMap((part) => (part?.kind === "regex" ? [part.value] : []));
  return rewrite?.uriRegex == null ? regexes : [...regexes, rewrite.uriRegex.match];
}

function stringMatchesOf(match: HttpMatch): readonly (StringMatch | null)[] {
  const { uri, scheme, method, authority, headers, withoutHeaders, claims, withoutClaims, queryParams } = match;
  const lists = [...headers, ...withoutHeaders, ...claims, ...withoutClaims, ...queryParams];
  return [uri, scheme, method, authority, ...lists.map((entry) => entry.match)];
}
