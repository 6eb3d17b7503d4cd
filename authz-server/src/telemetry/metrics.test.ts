import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createAuthzMetrics } from "./metrics.ts";

test("shows decisions by decision and reason, and the duration of each", async () => {
  const registry = new Registry();
  const metrics = createAuthzMetrics(registry, () => 0);
  metrics.decision("deny", "deny_policy", 0.0002);
  metrics.decision("deny", "deny_policy", 0.0002);
  metrics.decision("allow", "allowed", 0.00001);
  for (const _ of [1, 2]) {
    const text = await registry.metrics(); // scraping twice must not count twice
    expect(text).toContain('gatehouse_authz_decisions_total{decision="deny",reason="deny_policy"} 2');
    expect(text).toContain('gatehouse_authz_decisions_total{decision="allow",reason="allowed"} 1');
    expect(text).toContain('gatehouse_authz_check_duration_seconds_bucket{le="0.00005"} 1');
    expect(text).toContain("gatehouse_authz_check_duration_seconds_count 3");
  }
});

test("keeps the number of reasons bounded", async () => {
  const registry = new Registry();
  const metrics = createAuthzMetrics(registry, () => 0);
  for (let index = 0; index < 1000; index += 1) metrics.decision("deny", `reason${index}`, 0);
  const lines = (await registry.metrics())
    .split("\n")
    .filter((line) => line.startsWith("gatehouse_authz_decisions_total{"));
  expect(lines).toHaveLength(65);
  expect(lines.join("\n")).toContain('reason="other"} 936');
});

test("lets the age of the policy set grow only while the controller is away", async () => {
  const registry = new Registry();
  let nowMs = 1_000_000;
  const metrics = createAuthzMetrics(registry, () => nowMs);
  const age = async () => /^gatehouse_authz_policy_set_age_seconds (\S+)/m.exec(await registry.metrics())?.[1];
  expect(await age()).toBe("-1");
  metrics.policyApplied({ setVersion: "a", resources: 1, atMs: nowMs - 60_000 }); // from disk
  expect(await age()).toBe("60");
  metrics.streamConnected(true);
  metrics.policyApplied({ setVersion: "a", resources: 1, atMs: nowMs });
  nowMs += 3_600_000;
  expect(await age()).toBe("0");
  metrics.streamConnected(false);
  nowMs += 5_000;
  expect(await age()).toBe("5");
});
