import { isDeepStrictEqual } from "node:util";

/** A deliberate difference from what was recorded: single fields of `expect`, and the row that gives the reason. */
export interface Override {
  /** `group/scenario`. */
  readonly case: string;
  /** Names of requests. */
  readonly requests: readonly string[];
  /** Id of a row in docs/differences.md. */
  readonly difference: string;
  /** Value by path, e.g. `responseHeaders/www-authenticate`; null: must not be there. */
  readonly expect: Readonly<Record<string, unknown>>;
}

/**
 * Replaces fields of `requests[].expect` in a case file that is only parsed yet; its schema is checked afterwards.
 * @param overrides of this case only
 */
export function overrideCaseFile(file: unknown, overrides: readonly Override[]): unknown {
  if (!isObject(file) || !Array.isArray(file["requests"])) return file;
  return { ...file, requests: file["requests"].map((request: unknown) => overrideRequest(request, overrides)) };
}

/** The paths of an override whose value is the recorded one, so that they say nothing any more. */
export function idleFields(override: Override, recorded: object): readonly string[] {
  return Object.entries(override.expect)
    .filter(([path, value]) => isDeepStrictEqual(fieldAt(recorded, path.split("/")), value ?? undefined))
    .map(([path]) => path);
}

function overrideRequest(request: unknown, overrides: readonly Override[]): unknown {
  if (!isObject(request)) return request;
  const expect = overrides
    .filter((override) => override.requests.some((name) => name === request["name"]))
    .flatMap((override) => Object.entries(override.expect))
    .reduce<unknown>((changed, [path, value]) => withField(changed, path.split("/"), value), request["expect"]);
  return { ...request, expect };
}

function withField(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const { [key]: old, ...others } = isObject(target) ? target : {};
  const changed = withField(old, rest, value);
  return changed === null ? others : { ...others, [key]: changed };
}

function fieldAt(target: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return target;
  return isObject(target) ? fieldAt(target[key], rest) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
