import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { caseIds, loadCases, readCaseFile, readOverrides } from "./load-cases.ts";
import { idleFields } from "./overrides.ts";

describe("test/cases", () => {
  it.each(caseIds())("%s fits the schema and names each request once", (id) => {
    const names = readCaseFile(id).requests.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it("holds every scenario that was recorded", () => {
    const cases = loadCases().filter(({ group }) => group !== "differential");
    const requests = cases.flatMap((scenario) => scenario.requests);
    expect([cases.length, requests.length]).toEqual([119, 1566]);
  });
});

describe("test/cases/overrides.yaml", () => {
  const overrides = readOverrides();

  it("names requests that exist", () => {
    const unknown = overrides.flatMap((override) => {
      const names = caseIds().includes(override.case)
        ? readCaseFile(override.case).requests.map(({ name }) => name)
        : [];
      return override.requests.filter((name) => !names.includes(name)).map((name) => `${override.case}: ${name}`);
    });
    expect(unknown).toEqual([]);
  });

  it("differs from what was recorded in every field", () => {
    const idle = overrides.flatMap((override) =>
      readCaseFile(override.case)
        .requests.filter(({ name }) => override.requests.includes(name))
        .flatMap((request) =>
          idleFields(override, request.expect).map((f) => `${override.case}: ${request.name}: ${f}`),
        ),
    );
    expect(idle).toEqual([]);
  });

  it("gives each difference a row in docs/differences.md", () => {
    const page = new URL("../../docs/differences.md", import.meta.url);
    const rows = existsSync(page) ? readFileSync(page, "utf8").split("\n") : [];
    const ids = new Set(overrides.map(({ difference }) => difference));
    expect([...ids].filter((id) => !rows.some((row) => row.startsWith(`| \`${id}\` |`)))).toEqual([]);
  });
});
