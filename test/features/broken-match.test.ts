import { expect, test } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";

const POLICIES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: v, namespace: foo }
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
    - match: [{ uri: { prefix: /admin } }, { uri: { regex: "(" } }]
      directResponse: { status: 403 }
    - route: [{ destination: { host: web, port: { number: 80 } } }]
`;

test("requests that one match of a route keeps out reach no other route when another match of it can't be read", async () => {
  const harness = await createCheckHarness({ policies: POLICIES });
  expect((await harness.check({ path: "/admin", gateways: "foo/gw" })).status).toBe(404);
  expect((await harness.check({ path: "/open", gateways: "foo/gw" })).status).toBe(200);
});
