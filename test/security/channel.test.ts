import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import type { Refusal } from "@gatehouse/protos/channel";
import { loadDiscovery, POLICY_RESOURCE_TYPE_URL } from "@gatehouse/protos/wire";
import { type ChannelCredentials, Client, credentials, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AUTHZ_SERVER_NAME,
  CONTROLLER_NAME,
  createTestAuthority,
  mountSecret,
  type TestAuthority,
  TestCredentials,
} from "../support/certificates.ts";
import { type PolicyPublisher, startPolicyPublisher } from "../support/policy-publisher.ts";
import { testTransport } from "../support/test-transport.ts";
import { waitFor } from "../support/wait-for.ts";
import { type SecurityCase, securityTest } from "./register.ts";

type KeyPair = Awaited<ReturnType<TestAuthority["issue"]>>;

const MESH = parseMeshConfig("").meshConfig;

let home: string;
let authority: TestAuthority;
let serverCredentials: TestCredentials;
let refusals: Refusal[];
let logged: string[];
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gatehouse-channel-"));
  cleanUps.push(() => rm(home, { recursive: true, force: true }));
  authority = await createTestAuthority();
  serverCredentials = new TestCredentials();
  serverCredentials.set(await authority.issue(CONTROLLER), [authority.certificate]);
  refusals = [];
  logged = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const CONTROLLER = { name: CONTROLLER_NAME, usage: "server" } as const;
const AUTHZ_SERVER = { name: AUTHZ_SERVER_NAME, usage: "client" } as const;
const EXPIRED = { fromMs: Date.now() - 7200_000, toMs: Date.now() - 3600_000 };
const NOT_YET = { fromMs: Date.now() + 3600_000, toMs: Date.now() + 7200_000 };

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome">,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "policy", ...about };
}

/** A controller's policy port with one policy set. */
async function startPublisher(limits = { timeoutMs: 5000, maxPending: 256 }): Promise<PolicyPublisher> {
  const publisher = await startPolicyPublisher("127.0.0.1:0", {
    source: serverCredentials,
    clientName: AUTHZ_SERVER_NAME,
    countRefusal: (reason) => refusals.push(reason),
    limits,
    nowMs: Date.now,
  });
  cleanUps.push(() => publisher.stop());
  publisher.publish(new Map([["mesh", [MESH]]]));
  return publisher;
}

/** An authz-server whose Secret is mounted at `home`/secret. */
async function startServer(controller: string, dataDirectory: string | null = null): Promise<AuthzServer> {
  const registry = new Registry();
  const server = await startAuthzServer({
    controller,
    xdsTls: { directory: join(home, "secret"), serverName: CONTROLLER_NAME },
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    transport: testTransport(),
    dataDirectory,
    lastGoodIntervalMs: 1,
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 10, capMs: 50 },
    log: pino({ level: "info" }, { write: (line: string) => void logged.push(line) }),
    registry,
  });
  cleanUps.push(() => server.stop());
  return { ...server, metrics: () => registry.metrics() };
}

interface AuthzServer extends RunningAuthzServer {
  metrics(): Promise<string>;
}

/** What a stranger shows; null: nothing. */
function dialer(keys: KeyPair | null): ChannelCredentials {
  const shown = keys === null ? {} : { cert: keys.certificate, key: keys.privateKey };
  const context = createSecureContext({ ca: [authority.certificate], ...shown });
  return credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
}

/** Calls a method with a first request, as a server would. @returns the status, or OK as soon as something is answered */
function call(address: string, path: string, channel: ChannelCredentials): Promise<status> {
  const client = new Client(address, channel);
  const request = loadDiscovery().service.DeltaAggregatedResources.requestSerialize({
    node: { id: "stranger" },
    typeUrl: POLICY_RESOURCE_TYPE_URL,
    resourceNamesSubscribe: ["*"],
  });
  return new Promise<status>((resolve) => {
    const stream = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    stream.on("error", (error: { readonly code?: status }) => resolve(error.code ?? status.UNKNOWN));
    stream.on("data", () => resolve(status.OK));
    stream.on("end", () => resolve(status.OK));
    stream.write(request);
  }).finally(() => client.close());
}

const METHODS = [
  ...Object.values(loadDiscovery().service).map(({ path }) => path),
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.health.v1.Health/Check",
];
const DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

describe("who gets in", () => {
  securityTest(
    attack("K01", "C", {
      source: "CVE-2026-53714",
      title: "every call of the policy port without a certificate, with another one, without TLS",
      outcome: "no connection, so no call, whichever it is",
    }),
    async () => {
      const publisher = await startPublisher();
      const other = await createTestAuthority();
      const strangers: readonly (ChannelCredentials | null)[] = [
        null,
        dialer(null),
        dialer(await authority.issue({ ...AUTHZ_SERVER, name: "other.gatehouse-system.svc" })),
        dialer(await other.issue(AUTHZ_SERVER)),
      ];
      expect(METHODS).toContain(DELTA);
      for (const stranger of strangers) {
        for (const path of METHODS) {
          const code = await call(publisher.address, path, stranger ?? credentials.createInsecure());
          expect(code, path).toBe(status.UNAVAILABLE);
        }
      }
      expect(publisher.connected()).toEqual([]);
      expect(await call(publisher.address, DELTA, dialer(await authority.issue(AUTHZ_SERVER)))).toBe(status.OK);
    },
  );

  securityTest(
    attack("K02", "C", {
      source: "spoofing",
      title: "a stranger in the cluster poses as an authz-server",
      outcome: "gets nothing; a real one gets its policy",
    }),
    async () => {
      const publisher = await startPublisher();
      const other = await createTestAuthority();
      await mountSecret(join(home, "secret"), await other.issue(AUTHZ_SERVER), [authority.certificate]);
      const server = await startServer(publisher.address);
      await waitFor("it is refused", () => refusals.includes("untrusted"));
      expect([server.setVersion(), publisher.connected()]).toEqual([null, []]);
      await mountSecret(join(home, "secret"), await authority.issue(AUTHZ_SERVER), [authority.certificate]);
      await waitFor("policy has arrived", () => server.setVersion() === publisher.version());
    },
  );

  securityTest(
    attack("K03", "C", {
      source: "spoofing",
      title: "a stranger at the controller's address, with a certificate of another authority or another name",
      outcome: "the last good policy goes on; an error is logged and counted",
    }),
    async () => {
      const other = await createTestAuthority();
      const rogues = [
        await other.issue(CONTROLLER),
        await authority.issue({ ...CONTROLLER, name: "other.gatehouse-system.svc" }),
        await authority.issue(AUTHZ_SERVER),
        await authority.issue({ ...CONTROLLER, validity: EXPIRED }),
      ];
      await mountSecret(join(home, "secret"), await authority.issue(AUTHZ_SERVER), [authority.certificate]);
      const real = await startPublisher();
      const server = await startServer(real.address);
      const version = await waitFor("the real policy is enforced", () => server.setVersion() ?? false);
      await real.stop();
      const { port } = new URL(`tcp://${real.address}`);
      for (const [index, rogue] of rogues.entries()) {
        const trap = new TestCredentials();
        // It would let everybody in.
        trap.set(rogue, [authority.certificate, other.certificate]);
        const impostor = await startPolicyPublisher(`127.0.0.1:${port}`, {
          source: trap,
          clientName: AUTHZ_SERVER_NAME,
          countRefusal: () => undefined,
          nowMs: Date.now,
        });
        impostor.publish(new Map([["mesh", [parseMeshConfig("trustDomain: evil").meshConfig]]]));
        logged.length = 0;
        await waitFor(`the alarm is raised ${index}`, () =>
          logged.some((line) => line.includes('"level":50') && line.includes("is not the controller")),
        );
        expect(server.setVersion()).toBe(version);
        expect(impostor.connected()).toEqual([]);
        await impostor.stop();
      }
      expect(Number(/unverified_controller_total (\d+)/.exec(await server.metrics())?.[1])).toBeGreaterThan(3);
      expect(server.readiness().find(({ name }) => name === "policy")?.ok).toBe(true);
    },
  );

  securityTest(
    attack("K04", "H", {
      source: "CVE-2021-44532, CVE-2025-66220, CVE-2020-15104",
      title: "certificates that nearly fit: NUL, wildcard, a list in one name, other case, expired, made for servers",
      outcome: "refused",
    }),
    async () => {
      const publisher = await startPublisher();
      const cases: readonly (readonly [Refusal, KeyPair])[] = [
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: `${AUTHZ_SERVER_NAME}\0.evil.com` })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: `evil\0${AUTHZ_SERVER_NAME}` })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: "*.gatehouse-system.svc" })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: `evil.com, DNS:${AUTHZ_SERVER_NAME}` })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: `evil.com", DNS:${AUTHZ_SERVER_NAME}` })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: `${AUTHZ_SERVER_NAME}.` })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: AUTHZ_SERVER_NAME.toUpperCase() })],
        ["wrong_name", await authority.issue({ ...AUTHZ_SERVER, name: AUTHZ_SERVER_NAME.replace("system", "other") })],
        ["expired", await authority.issue({ ...AUTHZ_SERVER, validity: EXPIRED })],
        ["expired", await authority.issue({ ...AUTHZ_SERVER, validity: NOT_YET })],
        ["wrong_usage", await authority.issue({ ...AUTHZ_SERVER, usage: "server" })],
        ["untrusted", await (await createTestAuthority()).issue(AUTHZ_SERVER)],
      ];
      for (const [reason, keys] of cases) {
        refusals.length = 0;
        expect(await call(publisher.address, DELTA, dialer(keys))).toBe(status.UNAVAILABLE);
        await waitFor("it is counted", () => refusals.length > 0);
        expect([...new Set(refusals)], reason).toEqual([reason]);
      }
      expect(publisher.connected()).toEqual([]);
    },
  );

  it("speaks TLS 1.3 and HTTP/2 only, and resumes no session", async () => {
    const publisher = await startPublisher();
    const keys = await authority.issue(AUTHZ_SERVER);
    const sessions: Buffer[] = [];
    const dial = (options: object) => openTls(publisher.address, keys, options);
    expect(await ending(await dial({ maxVersion: "TLSv1.2" }))).toBe("refused");
    expect(await ending(await dial({ ALPNProtocols: ["http/1.1"] }))).toBe("refused");
    const first = await dial({});
    first.on("session", (session: Buffer) => sessions.push(session));
    // The server's first HTTP/2 frame comes after its tickets, if there are any.
    await new Promise((resolve) => first.once("data", resolve));
    first.destroy();
    const again = await dial(sessions[0] === undefined ? {} : { session: sessions[0] });
    await new Promise((resolve) => again.once("data", resolve));
    expect(again.isSessionReused()).toBe(false);
    again.destroy();
  });
});

describe("what strangers cost", () => {
  securityTest(
    attack("K05", "H", {
      source: "CVE-2022-23635, CVE-2022-24726, CVE-2022-39278",
      title: "garbage, handshakes that never end, and floods of connections at the policy port with TLS",
      outcome: "cut by time and number; a server gets its policy meanwhile",
    }),
    async () => {
      const publisher = await startPublisher({ timeoutMs: 2000, maxPending: 20 });
      for (const bytes of [Buffer.alloc(100_000, 0xff), Buffer.from("GET / HTTP/1.1\r\n\r\n"), CLIENT_HELLO_OF_16_MB]) {
        const socket = openTcp(publisher.address);
        socket.write(bytes);
        await new Promise((resolve) => socket.once("close", resolve));
      }
      expect(refusals).toContain("protocol");

      const slow = Array.from({ length: 60 }, () => openTcp(publisher.address));
      const closed = slow.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      for (const socket of slow) socket.write(CLIENT_HELLO_OF_16_MB.subarray(0, 3));
      await waitFor(
        "those beyond the limit are cut",
        () => refusals.filter((reason) => reason === "flood").length >= 40,
      );
      await mountSecret(join(home, "secret"), await authority.issue(AUTHZ_SERVER), [authority.certificate]);
      const server = await startServer(publisher.address);
      await waitFor("policy has arrived", () => server.setVersion() === publisher.version());
      await Promise.all(closed);
      expect(refusals).toContain("timeout");
      expect(publisher.connected()).toHaveLength(1);
    },
  );
});

/** A record that announces more than any handshake needs. */
const CLIENT_HELLO_OF_16_MB = Buffer.concat([
  Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3]),
  Buffer.alloc(0x4000),
]);

function openTcp(address: string): Socket {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connectTcp(Number(port), hostname);
  socket.on("error", () => undefined); // it is cut
  socket.resume();
  cleanUps.push(() => socket.destroy());
  return socket;
}

/** A TLS connection that has ended already when it was refused. */
function openTls(address: string, keys: KeyPair, options: object): Promise<TLSSocket> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connectTls({
    host: hostname,
    port: Number(port),
    servername: CONTROLLER_NAME,
    ca: [authority.certificate],
    cert: keys.certificate,
    key: keys.privateKey,
    ALPNProtocols: ["h2"],
    ...options,
  });
  cleanUps.push(() => socket.destroy());
  return new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", () => resolve(socket));
  });
}

function ending(socket: TLSSocket): Promise<"refused"> {
  if (socket.destroyed) return Promise.resolve("refused");
  return new Promise((resolve) => socket.once("close", () => resolve("refused")));
}
