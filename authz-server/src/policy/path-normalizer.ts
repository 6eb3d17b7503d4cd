import type { PathNormalization } from "@gatehouse/protos";

/** A request target taken apart. `query` holds its `?`, or is empty; a `#fragment` is dropped. */
export interface NormalizedTarget {
  readonly path: string;
  readonly query: string;
}

/**
 * Normalises a request target as Envoy's HTTP connection manager does under Istio's path normalisation, until it no longer changes:
 * an Envoy that has normalised already and one that has not lead to the same form.
 * @param target `:path` as received
 * @returns undefined where Envoy answers 400: `%00` in all modes but NONE, a raw control character in any
 */
export function normalizeTarget(target: string, mode: PathNormalization): NormalizedTarget | undefined {
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  const path = question < 0 ? whole : whole.slice(0, question);
  const query = question < 0 ? "" : whole.slice(question);
  const normalized = isPlain(path) ? path : normalizePath(path, mode);
  return normalized === undefined ? undefined : { path: normalized, query };
}

// Most paths hold nothing that any mode would touch: unreserved and sub-delimiter characters, single slashes, no segment that
// starts with a dot.
const PLAIN = /^(?:\/(?![./])[A-Za-z0-9\-._~!$&'()*+,;=:@]*)*$/;
const PLAIN_END = /\/$/;

function isPlain(path: string): boolean {
  return PLAIN.test(path) && !PLAIN_END.test(path.slice(0, -1));
}

// Envoy's codecs refuse these; parsers of URLs leave some of them out, which makes another path of it.
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;

// Two rounds are enough for every path known; a path that still moves after these is nobody's honest path.
const MAX_ROUNDS = 8;

function normalizePath(path: string, mode: PathNormalization): string | undefined {
  if (CONTROL_CHARACTER.test(path)) return undefined;
  if (mode === "NONE") return path;
  let current = path;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = normalizeOnce(current, mode);
    if (next === undefined || next === current) return next;
    current = next;
  }
  return undefined;
}

function normalizeOnce(path: string, mode: Exclude<PathNormalization, "NONE">): string | undefined {
  const decoded = mode === "DECODE_AND_MERGE_SLASHES" ? path.replace(/%2f/gi, "/").replace(/%5c/gi, "\\") : path;
  const canonical = canonicalPath(withoutDotSegmentParams(decoded));
  return canonical === undefined || mode === "BASE" ? canonical : mergeSlashes(canonical);
}

/** `/..;x/` is treated as `/../`: some upstreams do so too. */
function withoutDotSegmentParams(path: string): string {
  return path.includes(".;") ? path.replace(/(^|\/)(\.\.?);[^/]*/g, "$1$2") : path;
}

/** `//` stays `//` only where nothing stands between the first and the last slash, as in Envoy. */
function mergeSlashes(path: string): string {
  if (!path.includes("//")) return path;
  const segments = path.split("/").filter((segment) => segment !== "");
  return `${path.startsWith("/") ? "/" : ""}${segments.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ESCAPED_WHEN_RAW = /[\x00-\x20"<>^`{|}\x7f-\xff]/;
const HEX_DIGIT = /^[0-9a-fA-F]$/;

/**
 * The canonical form of Chromium's URL library, which Envoy uses: dot segments resolved (also `%2e`), `\` to `/`, unreserved characters
 * decoded, some others encoded. Linear in the path's length: it is the client's choice. @returns undefined for `%00`
 */
function canonicalPath(path: string): string | undefined {
  const state: Canonical = { path, at: 0, segments: [], segment: "" };
  while (state.at < path.length) {
    const isAfterSlash = state.segment === "" && state.segments.length > 0;
    const dots = isAfterSlash ? dotSegment(path, state.at) : undefined;
    if (dots !== undefined) takeDots(state, dots);
    else if (path[state.at] !== "%") takeRaw(state);
    else if (!takePercent(state)) return undefined;
  }
  return state.segments.join("") + state.segment;
}

interface Canonical {
  readonly path: string;
  at: number;
  /** What is done, each with its slash. */
  readonly segments: string[];
  /** What is done since the last slash. */
  segment: string;
}

function takeDots(state: Canonical, dots: DotSegment): void {
  if (dots.isParent) state.segments.pop();
  if (state.segments.length === 0) state.segments.push("/");
  state.at = dots.end;
}

function takeRaw(state: Canonical): void {
  const character = state.path.charAt(state.at++);
  if (character !== "/" && character !== "\\") {
    state.segment += encodeRaw(character);
    return;
  }
  state.segments.push(`${state.segment}/`);
  state.segment = "";
}

/** @returns false for `%00` */
function takePercent(state: Canonical): boolean {
  const { path, at } = state;
  const code = escapedByte(path, at);
  if (code === 0) return false;
  if (code === undefined) {
    state.segment += startsNewEscape(path, at) ? "%25" : "%";
    state.at++;
    return true;
  }
  const byte = String.fromCharCode(code);
  state.at += 3;
  state.segment += UNRESERVED.test(byte) ? byte : path.slice(at, state.at);
  return true;
}

interface DotSegment {
  readonly isParent: boolean;
  /** Where the next segment starts. */
  readonly end: number;
}

/** Whether a `.` or `..` segment starts here, right after a slash, and where the next one starts. */
function dotSegment(path: string, at: number): DotSegment | undefined {
  const first = dotLength(path, at);
  if (first === 0) return undefined;
  const second = dotLength(path, at + first);
  const end = at + first + second;
  if (end < path.length && path[end] !== "/" && path[end] !== "\\") return undefined;
  return { isParent: second > 0, end: Math.min(end + 1, path.length) };
}

function dotLength(path: string, at: number): 0 | 1 | 3 {
  if (path[at] === ".") return 1;
  return path[at] === "%" && path[at + 1] === "2" && (path[at + 2] === "e" || path[at + 2] === "E") ? 3 : 0;
}

function escapedByte(path: string, at: number): number | undefined {
  const hex = path.slice(at + 1, at + 3);
  return /^[0-9a-fA-F]{2}$/.test(hex) ? Number.parseInt(hex, 16) : undefined;
}

function encodeRaw(character: string): string {
  if (!ESCAPED_WHEN_RAW.test(character)) return character;
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

// Decoded characters right behind a lone `%` must not complete an escape that the client did not write: `%%32e` is not `%2e`.
function startsNewEscape(path: string, at: number): boolean {
  let next = at + 1;
  for (let digit = 0; digit < 2; digit++) {
    const code = path[next] === "%" ? escapedByte(path, next) : undefined;
    if (!HEX_DIGIT.test(code === undefined ? path.charAt(next) : String.fromCharCode(code))) return false;
    next += code === undefined ? 1 : 3;
  }
  return true;
}
