import { expect, test } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";

/** Statuses that peers of these addresses get under one rule about them. */
async function statuses(action: "ALLOW" | "DENY", rule: object): Promise<readonly number[]> {
  const metadata = { name: "p", namespace: "foo" };
  const spec = { action, rules: [rule] };
  const harness = await createCheckHarness({
    policies: [{ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec }],
  });
  const answers = await Promise.all(ADDRESSES.map((sourceAddress) => harness.check({ sourceAddress })));
  return answers.map(({ status }) => status);
}

/** In the network of the rules, written in two ways; outside it, in two ways. */
const ADDRESSES = ["10.1.2.3", "::ffff:10.1.2.3", "11.1.2.3", "::ffff:11.1.2.3"];

const NETWORK = ["10.0.0.0/8"];
const from = (source: object): object => ({ from: [{ source }] });
const when = (condition: object): object => ({ when: [condition] });

test.each([
  from({ ipBlocks: NETWORK }),
  from({ remoteIpBlocks: NETWORK }),
  when({ key: "source.ip", values: NETWORK }),
  when({ key: "remote.ip", values: NETWORK }),
])("%j finds an IPv4 address inside IPv6 in DENY only", async (rule) => {
  expect(await statuses("DENY", rule)).toEqual([403, 403, 200, 200]);
  expect(await statuses("ALLOW", rule)).toEqual([200, 403, 403, 403]);
});

test.each([
  from({ notIpBlocks: NETWORK }),
  from({ notRemoteIpBlocks: NETWORK }),
  when({ key: "source.ip", notValues: NETWORK }),
  when({ key: "remote.ip", notValues: NETWORK }),
])("%j keeps an IPv4 address inside IPv6 out in ALLOW, and DENY does not spare it", async (rule) => {
  expect(await statuses("ALLOW", rule)).toEqual([403, 403, 200, 200]);
  expect(await statuses("DENY", rule)).toEqual([200, 403, 403, 403]);
});
