import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";

/** How all YAML is read: core schema (no YAML 1.1 booleans), merge keys as kubectl knows them, no key twice. */
export const yamlOptions = {
  schema: "core",
  merge: true,
  uniqueKeys: true,
  stringKeys: true,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** The text of one document of a file. */
export interface Excerpt {
  readonly file: string;
  readonly text: string;
  /** Line of the file that `text` begins in, from 1. */
  readonly firstLine: number;
}

/**
 * The place of a field: `a.yaml:12`. Parses the text again, which is rare and spares keeping every syntax tree in memory.
 * @param path as in FieldError; where a part is missing, the nearest field above it counts
 */
export function locateField({ file, text, firstLine }: Excerpt, path: string): string {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...yamlOptions, lineCounter: lines });
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  let rest = path;
  while (rest !== "") {
    if (isAlias(node)) node = node.resolve(document);
    const step = isMap(node) ? stepIntoMap(node.items, rest) : isSeq(node) ? stepIntoList(node.items, rest) : null;
    if (step === null) break;
    ({ node, rest } = step);
    offset = step.offset ?? offset;
  }
  return `${file}:${firstLine + lines.linePos(offset).line - 1}`;
}

interface Step {
  readonly node: unknown;
  readonly rest: string;
  readonly offset: number | undefined;
}

/** Follows the longest key that the path goes on with: keys may hold dots and brackets themselves. */
function stepIntoMap(pairs: readonly Pair[], path: string): Step | null {
  let best: Step | null = null;
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.value) : "";
    const written = [`.${name}`, `[${name}]`, name].find((text) => name !== "" && path.startsWith(text));
    if (written === undefined) continue;
    const rest = path.slice(written.length);
    if (rest !== "" && !/^[.[]/.test(rest)) continue;
    if (best === null || rest.length < best.rest.length) best = { node: value, rest, offset: startOf(key) };
  }
  return best;
}

function stepIntoList(items: readonly unknown[], path: string): Step | null {
  const match = /^\[(\d+)\]/.exec(path);
  if (!match) return null;
  const item = items[Number(match[1])];
  return item === undefined ? null : { node: item, rest: path.slice(match[0].length), offset: startOf(item) };
}

function startOf(node: unknown): number | undefined {
  return isNodeWithRange(node) ? node.range?.[0] : undefined;
}

function isNodeWithRange(node: unknown): node is Node {
  return typeof node === "object" && node !== null && "range" in node;
}
