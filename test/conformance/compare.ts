import { isDeepStrictEqual } from "node:util";
import type { CaseRequest, ConformanceCase, ExpectedHeaders, ExpectedUpstream, HeaderLine } from "./case.ts";

/** What became of a request. */
export interface Observation {
  readonly status: number;
  readonly body: string;
  /** Lower-case names. */
  readonly responseHeaders: readonly HeaderLine[];
  /** What the upstream received; null: none was reached. */
  readonly upstream: ObservedUpstream | null;
}

/** A request as it came to an upstream. */
export interface ObservedUpstream {
  /** `workload`, or `host`, or `host/subset`. */
  readonly destination: string;
  readonly port: number;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: readonly HeaderLine[];
}

/**
 * Compares what became of a request with what must become of it.
 * @returns one line a difference, `field: expected ..., got ...`; empty: all is as it must be
 */
export function compare(scenario: ConformanceCase, request: CaseRequest, observed: Observation): readonly string[] {
  const { expect } = request;
  const differences = new Differences();
  differences.check("status", expect.status, observed.status);
  if (expect.body !== undefined) differences.check("body", expect.body, observed.body);
  const watched = responseHeadersOf(scenario);
  const isFromUpstream = observed.upstream !== null;
  differences.checkHeaders(
    "responseHeaders",
    expect.responseHeaders,
    observed.responseHeaders.filter(([name]) => watched(name) && !(isFromUpstream && name === "content-type")),
  );
  compareUpstream(differences, request, expect.upstream, observed.upstream);
  return differences.lines;
}

function compareUpstream(
  differences: Differences,
  request: CaseRequest,
  expected: ExpectedUpstream | undefined,
  observed: ObservedUpstream | null,
): void {
  if (expected === undefined || observed === null) {
    differences.check("upstream", expected?.destination ?? "none", observed?.destination ?? "none");
    return;
  }
  for (const field of ["destination", "port", "method", "authority", "path"] as const) {
    differences.check(`upstream.${field}`, expected[field], observed[field]);
  }
  const hasForwardedFor = request.headers.some(([name]) => name.toLowerCase() === "x-forwarded-for");
  differences.checkHeaders(
    "upstream.headers",
    expected.headers,
    observed.headers.filter(
      ([name]) => !isEnvoysOwn(name) && !isFraming(name) && (hasForwardedFor || name !== "x-forwarded-for"),
    ),
  );
  for (const name of expected.absentHeaders) {
    const value = observed.headers.find(([candidate]) => candidate === name)?.[1];
    differences.check(`upstream.absentHeaders ${name}`, undefined, value);
  }
}

function isEnvoysOwn(name: string): boolean {
  return name === "host" || name === "x-request-id" || name === "x-forwarded-proto" || name.startsWith("x-envoy-");
}

// Of requests without body: Envoy says so to upstreams for methods that could have one. That was not recorded.
function isFraming(name: string): boolean {
  return name === "content-length" || name === "transfer-encoding";
}

// Other response headers (date, server, ...) are Envoy's own and were not recorded.
function responseHeadersOf(scenario: ConformanceCase): (name: string) => boolean {
  const names = new Set(["www-authenticate", "location", "content-type", ...responseOperationsOf(scenario.resources)]);
  return (name) => names.has(name) || name.startsWith("access-control-");
}

/** Headers that a VirtualService's `headers.response` sets, and with any operation the two that every upstream sends. */
function responseOperationsOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const inside = responseOperationsOf(item);
    if (key !== "response" || typeof item !== "object" || item === null) return inside;
    const named = Object.values(item).flatMap((names: unknown) =>
      typeof names === "object" && names !== null && !Array.isArray(names) ? Object.keys(names) : [],
    );
    return [...inside, ...named.map((name) => name.toLowerCase()), "x-upstream", "x-up-secret"];
  });
}

class Differences {
  readonly lines: string[] = [];

  check(field: string, expected: unknown, observed: unknown): void {
    if (!isDeepStrictEqual(expected, observed)) {
      this.lines.push(`${field}: expected ${text(expected)}, got ${text(observed)}`);
    }
  }

  /** Exactly the expected headers, each with its values in order. */
  checkHeaders(field: string, expected: ExpectedHeaders, observed: readonly HeaderLine[]): void {
    const got = new Map<string, string[]>();
    for (const [name, value] of observed) got.set(name, [...(got.get(name) ?? []), value]);
    for (const name of new Set([...Object.keys(expected), ...got.keys()])) {
      this.#checkHeader(`${field} ${name}`, expected[name], got.get(name));
    }
  }

  #checkHeader(field: string, expected: ExpectedHeaders[string] | undefined, got: readonly string[] | undefined): void {
    if (typeof expected === "object" && "base64Json" in expected) {
      this.check(field, expected.base64Json, decodeJson(got?.[0]));
      return;
    }
    this.check(field, typeof expected === "string" ? [expected] : expected, got);
  }
}

function decodeJson(value: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(value ?? "", "base64").toString("utf8"));
  } catch {
    return value; // compared as it is, so that the difference shows it
  }
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
