import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NOT_YET, SECURITY_CHAPTERS, SECURITY_IDS } from "./ids.ts";

test("every known attack stands in docs/security.md, with a test or the reason why there is none", () => {
  const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| ([A-Z]\d\d) \|(.*)\|$/gm)].map(([, id = "", rest = ""]) => ({ id, rest }));
  expect(SECURITY_IDS.filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
  const without = rows.filter(({ id, rest }) => !rest.includes(".test.ts)") && NOT_YET[id] === undefined);
  expect(without).toEqual([]);
});

test("ids are numbered without a gap, each under the letter of its chapter", () => {
  for (const { letter, attacks } of SECURITY_CHAPTERS) {
    const ids = Object.keys(attacks);
    expect(ids).toEqual(ids.map((_, i) => `${letter}${String(i + 1).padStart(2, "0")}`));
  }
});
