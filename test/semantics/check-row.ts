import { isDeepStrictEqual } from "node:util";
import type { HeaderLine } from "../conformance/case.ts";
import type { Observation } from "../conformance/compare.ts";
import { statusOf } from "./load-rows.ts";
import type { ExpectedValues, Send } from "./row.ts";

/** What of an exchange is not as its row says: one line a difference. */
export function differencesOf(send: Send, observed: Observation): readonly string[] {
  const found: string[] = [];
  const check = (what: string, expected: unknown, got: unknown): void => {
    if (!isDeepStrictEqual(expected, got)) {
      found.push(`${titleOf(send)}: ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
    }
  };
  const status = statusOf(send);
  check("status", status, observed.status);
  const body = bodyOf(send);
  if (body !== undefined && observed.upstream === null) check("body", body, observed.body);
  if (send.challenge !== undefined)
    check("challenge", [send.challenge], valuesOf(observed.responseHeaders, "www-authenticate"));
  checkValues("answer", send.answer, observed.responseHeaders, check);
  const isExpectedUpstream = send.upstream !== undefined || (status === 200 && body === undefined);
  check("upstream reached", isExpectedUpstream, observed.upstream !== null);
  if (observed.upstream === null) return found;
  const { path, authority, method, destination, headers } = observed.upstream;
  const pseudo: readonly HeaderLine[] = [
    [":path", path],
    [":authority", authority],
    [":method", method],
    [":destination", destination],
  ];
  checkValues("upstream", send.upstream, [...pseudo, ...headers], check);
  return found;
}

type Check = (what: string, expected: unknown, got: unknown) => void;

function checkValues(
  what: string,
  expected: ExpectedValues | undefined,
  got: readonly HeaderLine[],
  check: Check,
): void {
  for (const [name, value] of Object.entries(expected ?? {})) {
    const values = value === null ? [] : typeof value === "string" ? [value] : value;
    check(`${what} ${name}`, values, valuesOf(got, name));
  }
}

function valuesOf(lines: readonly HeaderLine[], name: string): readonly string[] {
  return lines.filter(([candidate]) => candidate === name).map(([, value]) => value);
}

/** The body that an answer of our own must have; undefined: any. */
function bodyOf(send: Send): string | undefined {
  const [, body] = /^\d+ (.*)$/s.exec(String(send.gets)) ?? [];
  if (body !== undefined) return body;
  const status = statusOf(send);
  if (status === 403) return "RBAC: access denied";
  return status === 404 || status === 400 ? "" : undefined;
}

function titleOf({ send = "GET /", host = "", token = "without token", headers = [] }: Send): string {
  const parts = [send, host, token, ...headers].filter((part) => part !== "");
  return parts.map((part) => part.slice(0, 60)).join(", ");
}
