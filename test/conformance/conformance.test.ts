import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConformanceCase } from "./case.ts";
import { byMeshConfig, type ConformanceStack, startConformanceStack } from "./conformance-stack.ts";
import { runInProcess, translateCase } from "./in-process.ts";
import { loadCases } from "./load-cases.ts";
import { describeOutcome, type Outcome } from "./run-cases.ts";
import { runScenario } from "./through-envoy.ts";

const scenarios = loadCases();

describe("a configuration that Envoy refuses", () => {
  // What a jwksUri answers is not known to translation.
  const refused = scenarios.filter(({ group, envoyRejects }) => envoyRejects !== "" && group !== "jwks-uri");

  it.each(refused.map(({ id }) => id))("is reported: %s", (id) => {
    const reports = translateCase(find(id)).map(({ report }) => report);
    expect(reports.filter(({ reason }) => reason !== "Accepted")).toHaveLength(1);
  });

  it.each(refused.map(({ id }) => id))("does not keep the rest from being enforced: %s", async (id) => {
    await expect(runInProcess(find(id))).resolves.toEqual([]);
  });
});

describe("in process", () => {
  it.each(scenarios.map(({ id }) => id))("%s", async (id) => {
    expect(failures(await runInProcess(find(id)))).toEqual([]);
  });
});

describe("through Envoy", () => {
  describe.each(byMeshConfig(scenarios).map((sharing) => ({ sharing })))("", ({ sharing }) => {
    let stack: ConformanceStack;
    beforeAll(async () => {
      stack = await startConformanceStack(sharing);
    });
    afterAll(() => stack.stop());

    it.each(sharing.map(({ id }) => id))("%s", async (id) => {
      expect(failures(await runScenario(stack, find(id)))).toEqual([]);
    });
  });
});

function find(id: string): ConformanceCase {
  const scenario = scenarios.find((candidate) => candidate.id === id);
  if (scenario === undefined) throw new Error(`no case ${id}`);
  return scenario;
}

function failures(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.filter(({ differences }) => differences.length > 0).map(describeOutcome);
}
