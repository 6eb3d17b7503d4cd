import { afterAll, beforeAll, expect, test } from "vitest";
import { type FeatureStack, startFeatureStack } from "../support/feature-stack.ts";
import { connectRawHttp2, FLAG, FRAME, grpcHeaders, rawFrame } from "../support/raw-http2.ts";

let stack: FeatureStack;
beforeAll(async () => {
  stack = await startFeatureStack({ policies: DENY_ADMIN });
});
afterAll(() => stack?.stop());

const DENY_ADMIN = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny-admin, namespace: foo }
spec: { action: DENY, rules: [{ when: [{ key: "request.headers[x-role]", values: [admin] }] }] }
`;

/** The body of the answer to a request by HTTP/2, whose headers Envoy hands on as they are. */
async function bodyFor(role: string): Promise<string> {
  const client = await connectRawHttp2(stack.envoy.listenerPort("httpbin"));
  try {
    const plain = { ":method": "GET", ":authority": "a", "content-type": "", te: "" };
    const block = grpcHeaders("/headers", { ...plain, "x-role": role });
    client.send(rawFrame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
    const { payload } = await client.find("a body", ({ type, streamId }) => type === FRAME.data && streamId === 1);
    return payload.toString();
  } finally {
    client.close();
  }
}

test.each(["admin", "admin ", " admin", "\tadmin \t"])("a DENY of admin catches %j", async (role) => {
  expect(await bodyFor(role)).toBe("RBAC: access denied");
});

test("an upstream that speaks HTTP/1 does not see the blanks, which is why", async () => {
  const { headers } = JSON.parse(await bodyFor(" user "));
  expect(headers).toContainEqual(["x-role", "user"]);
});
