import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rows = [...readFileSync(`${root}/docs/differences.md`, "utf8").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(
  ([, id]) => id,
);

test("ids of differences are unique", () => {
  expect(rows.filter((id, i) => rows.indexOf(id) !== i)).toEqual([]);
});

test("every override of a recorded outcome names a row of docs/differences.md", () => {
  const overrides: readonly { readonly case: string; readonly difference: string }[] = parse(
    readFileSync(`${root}/test/cases/overrides.yaml`, "utf8"),
  );
  expect(overrides.filter(({ difference }) => !rows.includes(difference))).toEqual([]);
});
