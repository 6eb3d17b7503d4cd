import { ResourceDecodeError } from "./errors.ts";

/** Returns a part that must be there. */
export function required<Part>(part: Part | null | undefined, path: string): Part {
  if (part === null || part === undefined) throw invalid(path, "is missing");
  return part;
}

/** Returns which member of a oneof is there; none and several are errors. */
export function onlyCase<Case extends string>(
  message: { readonly [Name in Case]?: unknown },
  cases: readonly Case[],
  path: string,
): Case {
  let found: Case | undefined;
  for (const name of cases) {
    if (message[name] === undefined || message[name] === null) continue;
    if (found !== undefined) throw invalid(path, `has both ${found} and ${name}`);
    found = name;
  }
  if (found === undefined) throw invalid(path, `has none of ${cases.join(", ")} that this reader knows`);
  return found;
}

/** Reads each entry of a list. */
export function readList<Wire, Model>(
  entries: readonly Wire[],
  path: string,
  read: (entry: Wire, path: string) => Model,
): Model[] {
  return entries.map((entry, index) => read(entry, `${path}[${index}]`));
}

/** Reads a part that may be absent. */
export function readOptional<Wire, Model>(
  part: Wire | null | undefined,
  path: string,
  read: (part: Wire, path: string) => Model,
): Model | null {
  return part === null || part === undefined ? null : read(part, path);
}

/** Returns a 64-bit integer that JavaScript can hold. */
export function exact(value: number, path: string): number {
  if (!Number.isSafeInteger(value)) throw invalid(path, "is larger than 2^53");
  return value;
}

/** Returns a number that is neither NaN nor infinite. */
export function finite(value: number, path: string): number {
  if (!Number.isFinite(value)) throw invalid(path, "is not a finite number");
  return value;
}

/** Makes the error for a part that is there but wrong. */
export function invalid(path: string, problem: string): ResourceDecodeError {
  return new ResourceDecodeError("INVALID_SHAPE", `${path}: ${problem}`);
}
