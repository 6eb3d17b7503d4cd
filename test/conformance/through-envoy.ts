import type { CaseRequest, ConformanceCase } from "./case.ts";
import { compare } from "./compare.ts";
import { byMeshConfig, type ConformanceStack, startConformanceStack } from "./conformance-stack.ts";
import type { Outcome } from "./run-cases.ts";

/** Runs scenarios through the whole product: YAML directory, controller, xDS, authz-server, a real Envoy. */
export async function* runThroughEnvoy(scenarios: readonly ConformanceCase[]): AsyncGenerator<readonly Outcome[]> {
  for (const sharing of byMeshConfig(scenarios)) {
    const stack = await startConformanceStack(sharing);
    try {
      for (const scenario of sharing) yield await runScenario(stack, scenario);
    } finally {
      await stack.stop();
    }
  }
}

/** One scenario on a stack that was started for it. */
export async function runScenario(stack: ConformanceStack, scenario: ConformanceCase): Promise<readonly Outcome[]> {
  await stack.enter(scenario);
  const outcomes: Outcome[] = [];
  for (const request of scenario.requests) outcomes.push(await runRequest(stack, scenario, request));
  return outcomes;
}

async function runRequest(stack: ConformanceStack, scenario: ConformanceCase, request: CaseRequest): Promise<Outcome> {
  const observed = await stack.send(scenario, request);
  return { scenario, request, way: "through Envoy", differences: compare(scenario, request, observed) };
}
