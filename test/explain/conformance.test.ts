import { type DecideIo, decide, explain, TokenCache } from "@gatehouse/authz-server/engine";
import { describe, expect, it } from "vitest";
import { type CaseRequest, isRefusedByCodec } from "../conformance/case.ts";
import { toHttpRequest } from "../conformance/envoy-model.ts";
import { policyOf } from "../conformance/in-process.ts";
import { loadCases } from "../conformance/load-cases.ts";
import { contradictions } from "./concluded.ts";

const NOW_MS = Date.now();

function io(): DecideIo {
  return {
    cache: new TokenCache({ entries: 0, bytes: 0 }, () => undefined),
    now: () => NOW_MS,
    random: () => 0,
    record: { dryRun: () => undefined },
  };
}

const scenarios = loadCases();

describe("the explanation of every conformance case", () => {
  it.each(scenarios.map(({ id }) => id))("agrees with the decision, and shows no token: %s", async (id) => {
    const scenario = scenarios.find((candidate) => candidate.id === id);
    if (scenario === undefined) throw new Error(id);
    const policy = await policyOf(scenario);
    const wrong: unknown[] = [];
    for (const request of scenario.requests) {
      if (isRefusedByCodec(request)) continue;
      const http = toHttpRequest(scenario, request);
      const { decision, explanation } = await explain(policy, http, io());
      expect(decision).toEqual(await decide(policy, http, io()));
      const shown = JSON.stringify(explanation);
      const secrets = secretsOf(request).filter((secret) => shown.includes(secret.slice(0, 30)));
      const contradicting = contradictions(explanation, decision);
      if (secrets.length + contradicting.length > 0) wrong.push({ request: request.name, secrets, contradicting });
    }
    expect(wrong).toEqual([]);
  });
});

/** Whatever looks like a token, and whatever stands where tokens stand. */
function secretsOf({ path, headers }: CaseRequest): readonly string[] {
  const texts = headers.map(([, value]) => value);
  const credentials = headers.filter(([name]) => /^(authorization|cookie)$/i.test(name)).map(([, value]) => value);
  return [...credentials, ...[path, ...texts].flatMap((text) => text.match(/eyJ[\w-]{10,}/g) ?? [])].filter(
    (secret) => secret.length > 10,
  );
}
