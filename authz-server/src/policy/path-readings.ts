import { normalizeTarget } from "./path-normalizer.ts";

/**
 * The forms in which an upstream might read a path that it decodes or simplifies further than the normalisation did: escapes decoded
 * (once), path parameters (`;x`) left out, `\` as `/`, slashes merged, dot segments resolved, and what these lead to together.
 * `strictPaths` judges all of them.
 * @param path normalised
 * @returns the path itself first
 */
export function pathReadings(path: string): readonly [string, ...string[]] {
  if (!AMBIGUOUS.test(path)) return [path];
  // Under pathNormalization NONE the upstream may be the first to normalise.
  const readings = new Set([path, normalizeTarget(path, "BASE")?.path ?? path]);
  for (const read of STEPS) for (const reading of [...readings]) readings.add(read(reading));
  readings.delete(path);
  return [path, ...readings];
}

// `?` and `#` cannot stand in a path, but in a decoded one they do not end it either.
const AMBIGUOUS = /[%;\\]|\/\/|\/\.\.?(?:\/|$)/;

/** Some upstreams cut parameters before they decode, others after it; merging and resolving dots can come in either order, too. */
const STEPS: readonly ((path: string) => string)[] = [
  withoutParams,
  decoded,
  untilNul,
  withoutParams,
  mergedSlashes,
  resolvedDots,
  mergedSlashes,
];

function withoutParams(path: string): string {
  return path.includes(";") ? path.replace(/;[^/]*/g, "") : path;
}

/** Decodes once, to bytes; `\` counts as `/`. */
function decoded(path: string): string {
  const text = path.includes("%") ? path.replace(/%([0-9a-fA-F]{2})/g, toByte) : path;
  return text.includes("\\") ? text.replaceAll("\\", "/") : text;
}

function toByte(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** Where a NUL gets through (pathNormalization NONE), the path ends there for an upstream written in C. */
function untilNul(path: string): string {
  const nul = path.indexOf("\0");
  return nul < 0 ? path : path.slice(0, nul);
}

function mergedSlashes(path: string): string {
  return path.includes("//") ? path.replace(/\/{2,}/g, "/") : path;
}

/** RFC 3986, 5.2.4 */
function resolvedDots(path: string): string {
  if (!path.includes("/.")) return path;
  const segments = path.split("/");
  const kept: string[] = [];
  for (const [i, segment] of segments.entries()) {
    const isDots = segment === "." || segment === "..";
    if (segment === ".." && kept.length > 1) kept.pop();
    if (!isDots) kept.push(segment);
    else if (i === segments.length - 1) kept.push("");
  }
  return kept.join("/");
}
