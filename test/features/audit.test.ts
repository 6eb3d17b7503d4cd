import { afterEach, describe, expect, test } from "vitest";
import { type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import { policy, READ_JWT } from "../support/custom-bench.ts";
import { mintTestToken, TEST_ISSUER } from "../support/jwt.ts";

let harness: CheckHarness | undefined;

afterEach(() => harness?.stop());

async function start(policies: string): Promise<CheckHarness> {
  harness = await createCheckHarness({ policies });
  return harness;
}

describe("an AUDIT policy", () => {
  const AUDIT = policy("watch", 'action: AUDIT\n  rules: [{ to: [{ operation: { paths: ["/a*"] } }] }]');
  const records = (checked: CheckHarness): readonly Record<string, unknown>[] =>
    checked
      .log()
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ name }) => name === "audit");

  test("writes one record for each request that it matches, without query and token, and changes nothing", async () => {
    const deny = policy("deny", 'action: DENY\n  rules: [{ to: [{ operation: { paths: ["/a/denied"] } }] }]');
    const checked = await start(AUDIT + deny + READ_JWT);
    const token = await mintTestToken({ sub: "alice" });
    expect((await checked.check({ path: "/a?access=secret", token })).code).toBe(0);
    expect((await checked.check({ path: "/other" })).code).toBe(0);
    expect((await checked.check({ path: "/a/denied" })).status).toBe(403);
    expect(records(checked)).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        name: "audit",
        policies: ["ns[foo]-policy[watch]-rule[0]"],
        workload: "foo/app=httpbin",
        method: "GET",
        host: "httpbin.foo",
        path: "/a",
        source: "10.0.0.1",
        iss: TEST_ISSUER,
        sub: "alice",
        decision: "allow",
        msg: "audited request",
      },
      expect.objectContaining({ path: "/a/denied", iss: null, decision: "deny", reason: "deny_policy", status: 403 }),
    ]);
    expect(checked.log().join("")).not.toContain("secret");
    expect(checked.log().join("")).not.toContain(token.split(".")[2]);
    expect(await checked.metrics()).toContain('gatehouse_authz_audit_total{decision="allow"} 1');
  });

  test("records nothing about a request whose token is rejected: Istio's audit comes after", async () => {
    const checked = await start(AUDIT + READ_JWT);
    expect((await checked.check({ path: "/a", token: "broken" })).status).toBe(401);
    expect(records(checked)).toEqual([]);
  });
});

test("a policy in dry-run is recorded by the name that Istio gives its rule", async () => {
  const dryRun = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: maybe, namespace: foo, annotations: { istio.io/dry-run: "true" } }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/x"] } }] }, { to: [{ operation: { paths: ["/y"] } }] }] }
`;
  const checked = await start(dryRun);
  expect((await checked.check({ path: "/y" })).code).toBe(0);
  expect(await checked.metrics()).toContain('gatehouse_authz_dry_run_total{verdict="denied"} 1');
  expect(checked.log().join("")).toContain('"verdict":"denied","rule":"ns[foo]-policy[maybe]-rule[1]"');
});
