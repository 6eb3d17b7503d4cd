import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConformanceCase } from "./case.ts";
import { byMeshConfig, type ConformanceStack, startConformanceStack } from "./conformance-stack.ts";
import { runInProcess, translateCase } from "./in-process.ts";
import { loadCases } from "./load-cases.ts";
import { describeOutcome, mustPass, type Outcome, tally, type Way } from "./run-cases.ts";
import { runScenario } from "./through-envoy.ts";

/** The least that passes, by group and way. */
const FLOOR: Readonly<Record<string, Readonly<Record<Way, number>>>> = JSON.parse(
  readFileSync(new URL("floor.json", import.meta.url), "utf8"),
);

const scenarios = loadCases();
const requiredGroups = scenarios.filter(({ group }) => mustPass(group));
const otherGroups = scenarios.filter(({ group }) => !mustPass(group));

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
  it.each(requiredGroups.map(({ id }) => id))("%s", async (id) => {
    expect(failures(await runInProcess(find(id)))).toEqual([]);
  });

  it("passes as much as before in the other groups", async () => {
    const outcomes: Outcome[] = [];
    for (const scenario of otherGroups) outcomes.push(...(await runInProcess(scenario)));
    expectFloor(outcomes, "in process");
  });
});

describe("through Envoy", () => {
  describe.each(byMeshConfig(requiredGroups).map((sharing) => ({ sharing })))("", ({ sharing }) => {
    let stack: ConformanceStack;
    beforeAll(async () => {
      stack = await startConformanceStack(sharing);
    });
    afterAll(() => stack.stop());

    it.each(sharing.map(({ id }) => id))("%s", async (id) => {
      expect(failures(await runScenario(stack, find(id)))).toEqual([]);
    });
  });

  it("passes as much as before in the other groups", { timeout: 120_000 }, async () => {
    const outcomes: Outcome[] = [];
    for (const sharing of byMeshConfig(otherGroups)) {
      const stack = await startConformanceStack(sharing);
      try {
        for (const scenario of sharing) outcomes.push(...(await runScenario(stack, scenario)));
      } finally {
        await stack.stop();
      }
    }
    expectFloor(outcomes, "through Envoy");
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

/** The groups whose count fell below what was reached before. Raise floor.json when more passes. */
function expectFloor(outcomes: readonly Outcome[], way: Way): void {
  const groups = [...new Set(outcomes.map(({ scenario }) => scenario.group))];
  const fallen = groups.filter((group) => tally(outcomes, group, way).passed < (FLOOR[group]?.[way] ?? 0));
  expect(fallen, failures(outcomes).join("\n")).toEqual([]);
}
