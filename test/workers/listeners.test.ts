import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import {
  type AuthzServerOptions,
  ListenError,
  type RunningAuthzServer,
  startAuthzServer,
} from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type ChannelCredentials, credentials, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestAuthority, mountSecret, type TestAuthority } from "../support/certificates.ts";
import { connectBoundCheckClient } from "../support/check-client.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { waitFor } from "../support/wait-for.ts";
import { testWorkers, workerPids } from "../support/workers.ts";

const SERVER = { name: "authz.example", usage: "server" } as const;
const IDENTITY = { namespace: "foo", labels: [], gateways: [] };

let home: string;
const running: { stop(): unknown }[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gatehouse-workers-"));
  running.push({ stop: () => rm(home, { recursive: true }) });
});

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

describe("a server with workers", () => {
  it("knows on which of its ports a connection came", async () => {
    const server = await start({
      listeners: [
        { address: "127.0.0.1:0", identity: null },
        { address: "127.0.0.1:0", identity: IDENTITY },
      ],
    });
    const [open = "", bound = ""] = server.checkAddresses;
    expect(open).not.toBe(bound);
    for (let i = 0; i < 4; i += 1) {
      expect(await check(open, credentials.createInsecure())).toBe(403); // nobody says which workload asks
      expect(await check(bound, credentials.createInsecure())).toBe(200);
    }
  });

  it.each(["lean", "grpc-js"] as const)("speaks TLS and takes new certificates, transport %s", async (transport) => {
    const authority = await createTestAuthority();
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), []);
    const listeners = [{ address: "127.0.0.1:0", identity: IDENTITY }];
    const server = await start({ listeners, transport, checkTlsDirectory: join(home, "tls") });
    const [address = ""] = server.checkAddresses;
    const askAll = (channel: ChannelCredentials) =>
      Promise.all([1, 2, 3, 4].map(() => check(address, channel))).then((answers) => new Set(answers));
    expect(await askAll(trusting(authority))).toEqual(new Set([200]));
    expect(await askAll(credentials.createInsecure())).toEqual(new Set([status.UNAVAILABLE]));
    const other = await createTestAuthority();
    await mountSecret(join(home, "tls"), await other.issue(SERVER), []);
    await waitFor("all workers show the new one", async () => {
      const answers = await askAll(trusting(other));
      return answers.size === 1 && answers.has(200);
    });
  });

  it("says which address it can't have, and starts no process for it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    running.push({ stop: () => other.close() });
    const taken = await waitFor("it listens", () => other.address() ?? undefined);
    const port = typeof taken === "object" ? taken.port : 0;
    const listeners = [
      { address: "127.0.0.1:0", identity: null },
      { address: `127.0.0.1:${port}`, identity: null },
    ];
    await expect(start({ listeners })).rejects.toThrow(ListenError);
    expect(workerPids()).toEqual([]);
  });
});

async function start(options: Partial<AuthzServerOptions>): Promise<RunningAuthzServer> {
  const publisher = await startPolicyPublisher(`unix:${join(home, "xds.sock")}`);
  running.push(publisher);
  publisher.publish(new Map([["mesh", [parseMeshConfig("").meshConfig]]]));
  const server = await startAuthzServer({
    controller: publisher.address,
    workers: testWorkers(2),
    drain: { waitMs: 0, deadlineMs: 500 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
    ...options,
  });
  running.push(server);
  await waitFor("it is ready", () => server.readiness().every(({ ok }) => ok));
  return server;
}

function trusting(authority: TestAuthority): ChannelCredentials {
  const context = createSecureContext({ ca: [authority.certificate] });
  return credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
}

/** HTTP status of the answer, or gRPC status of the failure; over a connection of its own. */
async function check(address: string, channel: ChannelCredentials): Promise<number> {
  const client = connectBoundCheckClient(address, channel, SERVER.name);
  try {
    return await client.check();
  } finally {
    client.stop();
  }
}
