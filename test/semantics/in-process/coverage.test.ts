import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readRows, readVerdicts, rowFiles } from "../load-rows.ts";
import type { Row } from "../row.ts";

/** How many rows each letter has: authentication, identity, authorization, routes, validation, adapter. */
const ROWS_OF_LETTERS = { A: 64, B: 42, C: 57, D: 31, E: 17, F: 8 };

const ALL_IDS = Object.entries(ROWS_OF_LETTERS).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
);

const notCovered: Readonly<Record<string, string>> = parse(read("../not-covered.yaml"));

const rows: readonly Row[] = rowFiles().flatMap(readRows);

describe("the rows", () => {
  it("are 219", () => {
    expect(ALL_IDS).toHaveLength(219);
  });

  it("are all tested, or listed with the reason why not", () => {
    const covered = new Set([...testedIds(), ...Object.keys(notCovered)]);
    expect(ALL_IDS.filter((id) => !covered.has(id))).toEqual([]);
  });

  it("have known ids", () => {
    const known = new Set(ALL_IDS);
    expect([...testedIds(), ...Object.keys(notCovered)].filter((id) => !id.startsWith("§") && !known.has(id))).toEqual(
      [],
    );
  });

  it("are not listed as untested while they have a test", () => {
    const tested = new Set(testedIds());
    expect(Object.keys(notCovered).filter((id) => tested.has(id))).toEqual([]);
  });

  it("name rows of docs/differences.md where they differ from Istio", () => {
    const differences = read("../../../docs/differences.md");
    expect(rows.filter(({ differs }) => differs !== undefined && !differences.includes(`| \`${differs}\` |`))).toEqual(
      [],
    );
  });
});

/** Ids of data rows, and of tests that are written out: their names begin with the id, or end with it in brackets. */
function testedIds(): readonly string[] {
  return [...rows.map(({ id }) => id), ...readVerdicts().map(({ id }) => id), ...writtenIds()];
}

function writtenIds(): readonly string[] {
  const sources = ["../through-envoy/", "../../features/"].flatMap((folder) =>
    readdirSync(new URL(folder, import.meta.url))
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => read(`${folder}${file}`)),
  );
  const inNames = /\b(?:it|test)\("([A-F]\d+) |\(([A-F]\d+)\)", async/g;
  return sources.flatMap((source) => [...source.matchAll(inNames)].map(([, first, last]) => first ?? last ?? ""));
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}
