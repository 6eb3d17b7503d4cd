import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type CheckClient, connectCheckClient } from "../support/check-client.ts";
import { type GatehouseOptions, type RunningGatehouse, startGatehouse } from "../support/gatehouse.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { startKeyIssuer } from "../support/key-issuer.ts";
import { waitFor } from "../support/wait-for.ts";

const WORKERS = 2;
const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

async function start(options: GatehouseOptions = {}): Promise<RunningGatehouse> {
  const gatehouse = await startGatehouse({ workers: WORKERS, ...options });
  running.push(gatehouse);
  return gatehouse;
}

function connect({ checkPort }: RunningGatehouse, count: number): readonly CheckClient[] {
  const clients = Array.from({ length: count }, () => connectCheckClient(checkPort));
  running.push(...clients);
  return clients;
}

const statusesOf = async (clients: readonly CheckClient[]): Promise<ReadonlySet<number>> =>
  new Set((await Promise.all(clients.map((client) => client.check()))).map(({ status }) => status));

/** How many checks each worker has answered. */
async function checksOf(gatehouse: RunningGatehouse): Promise<readonly number[]> {
  const lines = (await gatehouse.metrics()).matchAll(/^test_worker_checks\{pid="\d+"\} (\d+)$/gm);
  return [...lines].map(([, count]) => Number(count));
}

const DENY_ALL = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nothing, namespace: foo }
spec: {}
`;

describe("workers", () => {
  it("share connections evenly", async () => {
    const gatehouse = await start();
    for (const client of connect(gatehouse, 3 * WORKERS)) await client.check();
    expect(await checksOf(gatehouse)).toEqual(Array.from({ length: WORKERS }, () => 3));
    const metrics = await gatehouse.metrics();
    expect(metrics).toMatch(/^gatehouse_authz_decisions_total\{decision="allow",reason="allowed"\} 6$/m);
    expect(metrics).toMatch(/^gatehouse_authz_workers\{state="serving"\} 2$/m);
  });

  it("share them evenly still after a thousand that came and went", async () => {
    const gatehouse = await start();
    const sockets = Array.from({ length: 1000 }, (_, i) => {
      const socket = connectTcp(gatehouse.checkPort, "127.0.0.1").resume();
      socket.on("error", () => undefined);
      socket.once("connect", () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.end("not HTTP/2")));
      return once(socket, "close");
    });
    await gatehouse.apply(DENY_ALL);
    await Promise.all(sockets);
    await waitFor("new connections are shared evenly", async () => {
      const before = await checksOf(gatehouse);
      const clients = Array.from({ length: 3 * WORKERS }, () => connectCheckClient(gatehouse.checkPort));
      for (const client of clients) expect((await client.check()).status).toBe(403);
      const after = await checksOf(gatehouse);
      for (const client of clients) client.stop();
      return after.every((count, i) => count === (before[i] ?? 0) + 3);
    });
  });

  it("all enforce a change when it counts as enforced", async () => {
    const gatehouse = await start();
    const clients = connect(gatehouse, 2 * WORKERS);
    expect(await statusesOf(clients)).toEqual(new Set([200]));
    for (let round = 0; round < 5; round += 1) {
      await gatehouse.apply(DENY_ALL);
      expect(await statusesOf(clients)).toEqual(new Set([403]));
      await gatehouse.apply("");
      expect(await statusesOf(clients)).toEqual(new Set([200]));
    }
  });

  it("take over a policy of thousands of objects", async () => {
    const many = Array.from({ length: 3000 }, (_, i) =>
      DENY_ALL.replace("nothing", `p${i}`).replace("spec: {}", `spec: { selector: { matchLabels: { app: a${i} } } }`),
    );
    const gatehouse = await start({ policies: many.join("---") });
    const [client] = connect(gatehouse, 1);
    expect((await client?.check({ labels: "app=a2999" }))?.status).toBe(403);
    expect((await client?.check({ labels: "app=other" }))?.status).toBe(200);
  });

  it("pass on which key is missing", async () => {
    const issuer = await startKeyIssuer();
    running.push(issuer);
    issuer.say(publicJwks("rsa-2048"));
    const gatehouse = await start({
      policies: `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec: { jwtRules: [{ issuer: "${TEST_ISSUER}", jwksUri: "${issuer.origin}/keys" }] }
`,
    });
    const clients = connect(gatehouse, 2 * WORKERS);
    issuer.say(publicJwks("ec-p256"));
    const token = await mintTestToken({}, { key: "ec-p256", alg: "ES256" });
    const statuses = async () =>
      new Set((await Promise.all(clients.map((one) => one.check({ token })))).map((a) => a.status));
    expect(await statuses()).toEqual(new Set([401]));
    await waitFor("all accept the new key", async () => {
      const now = await statuses();
      return now.size === 1 && now.has(200);
    });
    expect(issuer.asked).toHaveLength(2);
  });
});
