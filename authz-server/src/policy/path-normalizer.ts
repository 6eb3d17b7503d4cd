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
 * @returns undefined where Envoy answers 400 (`%00`)
 */
export function normalizeTarget(target: string, mode: PathNormalization): NormalizedTarget | undefined {
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  const path = question < 0 ? whole : whole.slice(0, question);
  const query = question < 0 ? "" : whole.slice(question);
  const normalized = mode === "NONE" || isPlain(path) ? path : normalizePath(path, mode);
  return normalized === undefined ? undefined : { path: normalized, query };
}

// Most paths hold nothing that any mode would touch: unreserved and sub-delimiter characters, single slashes, no segment that
// starts with a dot.
const PLAIN = /^(?:\/(?![./])[A-Za-z0-9\-._~!$&'()*+,;=:@]*)*$/;
const PLAIN_END = /\/$/;

function isPlain(path: string): boolean {
  return PLAIN.test(path) && !PLAIN_END.test(path.slice(0, -1));
}

// Two rounds are enough for every path known; a path that still moves after these is nobody's honest path.
const MAX_ROUNDS = 8;

function normalizePath(path: string, mode: Exclude<PathNormalization, "NONE">): string | undefined {
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

/**
 * The canonical form of Chromium's URL library, which Envoy uses: dot segments resolved (also `%2e`), `\` to `/`, unreserved characters
 * decoded, some others encoded. @returns undefined for `%00`
 */
function canonicalPath(path: string): string | undefined {
  const state: Canonical = { path, at: 0, out: "", lonePercent: -1 };
  while (state.at < path.length) {
    const dots = state.out.endsWith("/") ? dotSegment(path, state.at) : undefined;
    if (dots !== undefined) takeDots(state, dots);
    else if (path[state.at] !== "%") takeRaw(state);
    else if (!takePercent(state)) return undefined;
  }
  return state.out;
}

interface Canonical {
  readonly path: string;
  at: number;
  out: string;
  /** Where `out` holds the last `%` that starts no escape; -1 before the first. */
  lonePercent: number;
}

function takeDots(state: Canonical, dots: DotSegment): void {
  const parent = state.out.lastIndexOf("/", Math.max(state.out.length - 2, 0));
  if (dots.isParent) state.out = state.out.slice(0, parent + 1) || "/";
  state.at = dots.end;
}

function takeRaw(state: Canonical): void {
  const character = state.path.charAt(state.at++);
  state.out += character === "\\" ? "/" : encodeRaw(character);
}

/** @returns false for `%00` */
function takePercent(state: Canonical): boolean {
  const { path, at, out } = state;
  const code = escapedByte(path, at);
  if (code === 0) return false;
  if (code === undefined) {
    state.lonePercent = out.length;
    state.out += "%";
    state.at++;
    return true;
  }
  const byte = String.fromCharCode(code);
  state.at += 3;
  state.out = UNRESERVED.test(byte)
    ? guardEscape(out + byte, state.lonePercent, path.charAt(state.at))
    : out + path.slice(at, state.at);
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

// A decoded character right behind a lone `%` must not complete an escape that the client did not write: `%%32e` is not `%2e`.
function guardEscape(out: string, lonePercent: number, next: string): string {
  if (lonePercent < 0 || lonePercent < out.length - 3) return out;
  const tail = lonePercent === out.length - 2 ? out.slice(lonePercent + 1) + next : out.slice(lonePercent + 1);
  if (!/^[0-9a-fA-F]{2}$/.test(tail)) return out;
  return `${out.slice(0, lonePercent)}%25${out.slice(lonePercent + 1)}`;
}
