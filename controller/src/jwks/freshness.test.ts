import { expect, it } from "vitest";
import { freshnessMs } from "./freshness.ts";

const NOW_MS = Date.UTC(2030, 0, 1, 12);

it.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ "cache-control": "public" }, null],
  [{ "cache-control": "public, max-age=300" }, 300_000],
  [{ "cache-control": "Max-Age=300, must-revalidate", age: "100" }, 200_000],
  [{ "cache-control": "max-age=300", age: "400" }, 0],
  [{ "cache-control": "no-cache, max-age=300" }, 0],
  [{ "cache-control": "no-store" }, 0],
  [{ "cache-control": "max-age=-1" }, null],
  [{ expires: "Tue, 01 Jan 2030 12:10:00 GMT" }, 600_000],
  [{ expires: "Tue, 01 Jan 2030 12:10:00 GMT", date: "Tue, 01 Jan 2030 12:09:00 GMT" }, 60_000],
  [{ expires: "Mon, 31 Dec 2029 12:00:00 GMT" }, 0],
  [{ expires: "0" }, 0],
  [{ "cache-control": "max-age=60", expires: "0" }, 60_000],
])("reads %j", (headers, expected) => {
  expect(freshnessMs(new Map(Object.entries(headers)), NOW_MS)).toBe(expected);
});
