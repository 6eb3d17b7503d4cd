import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { type ListenerIdentity, type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type ChannelCredentials, credentials, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestAuthority, mountSecret, type TestAuthority } from "../support/certificates.ts";
import { type BoundCheckClient, connectBoundCheckClient } from "../support/check-client.ts";
import { startEchoUpstreams } from "../support/echo-upstream.ts";
import { startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { sendRaw } from "../support/raw-http.ts";
import { waitFor } from "../support/wait-for.ts";

const SERVER = { name: "authz.example", usage: "server" } as const;
const ENVOY = { name: "envoy.example", usage: "client" } as const;
const HTTPBIN: ListenerIdentity = { namespace: "foo", labels: [{ name: "app", value: "httpbin" }], gateways: [] };

let home: string;
let authority: TestAuthority;
let registry: Registry;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gatehouse-check-tls-"));
  cleanUps.push(() => rm(home, { recursive: true, force: true }));
  authority = await createTestAuthority();
  registry = new Registry();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe.each(["lean", "grpc-js"] as const)("the check port with TLS, transport %s", (transport) => {
  it("answers over TLS only, takes a new certificate, and keeps the connections it has", async () => {
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), []);
    const server = await startServer(transport);
    const envoy = connect(server, secure(authority));
    expect(await envoy.check()).toBe(200);
    expect(await connect(server, credentials.createInsecure()).check()).toBe(status.UNAVAILABLE);
    const other = await createTestAuthority();
    expect(await connect(server, secure(other)).check()).toBe(status.UNAVAILABLE);

    await mountSecret(join(home, "tls"), await other.issue(SERVER), []);
    await waitFor("the new certificate is shown", async () => (await connect(server, secure(other)).check()) === 200);
    expect(await connect(server, secure(authority)).check()).toBe(status.UNAVAILABLE);
    expect(await envoy.check()).toBe(200);
  });

  it("wants a certificate of Envoy when there is a ca.crt, of its own authority", async () => {
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), [authority.certificate]);
    const server = await startServer(transport);
    const keys = await authority.issue(ENVOY);
    const foreign = await (await createTestAuthority()).issue(ENVOY);
    const refused = [undefined, foreign, await authority.issue({ ...ENVOY, usage: "server" })];
    for (const shown of refused)
      expect(await connect(server, secure(authority, shown)).check()).toBe(status.UNAVAILABLE);
    expect(await connect(server, secure(authority, keys)).check()).toBe(200);
    await waitFor("it is counted", async () =>
      /refused_connections_total\{reason="no_certificate"\}/.test(await registry.metrics()),
    );
    // It vanishes: who had to show one has to show one still.
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), []);
    await waitFor("it is noticed", () =>
      server.readiness().some(({ message }) => message.includes("ca.crt is missing")),
    );
    expect(await connect(server, secure(authority)).check()).toBe(status.UNAVAILABLE);
    expect(await connect(server, secure(authority, keys)).check()).toBe(200);
  });

  it("is not ready and lets nobody in until there is a certificate", async () => {
    const server = await startServer(transport);
    expect(server.readiness().find(({ name }) => name === "check-tls")?.ok).toBe(false);
    expect(await connect(server, secure(authority)).check()).toBe(status.UNAVAILABLE);
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), []);
    await waitFor("it is ready", () => server.readiness().every(({ ok }) => ok));
    expect(await connect(server, secure(authority)).check()).toBe(200);
  });
});

describe.each(["lean", "grpc-js"] as const)("Envoy as the operations page configures it, transport %s", (transport) => {
  it("asks over TLS with a certificate of its own; without one it lets no request through", async () => {
    await mountSecret(join(home, "tls"), await authority.issue(SERVER), [authority.certificate]);
    const server = await startServer(transport, null);
    await mountSecret(join(home, "envoy"), await authority.issue(ENVOY), [authority.certificate]);
    const certificates = [
      {
        certificate_chain: { filename: join(home, "envoy/tls.crt") },
        private_key: { filename: join(home, "envoy/tls.key") },
      },
    ];
    const upstreams = await startEchoUpstreams(["httpbin"]);
    cleanUps.push(() => upstreams.stop());
    for (const { shown, statuses } of [
      { shown: certificates, statuses: [200, 200] },
      { shown: [], statuses: [503, 503] },
    ]) {
      const envoy = await startEnvoy(
        buildEnvoyBootstrap({
          authzPort: Number(new URL(`tcp://${server.checkAddresses[0]}`).port),
          authzTransportSocket: documentedSocket(shown),
          listeners: [
            { name: "in", profile: "istio-sidecar", identity: { namespace: "foo", labels: { app: "httpbin" } } },
          ],
          clusters: new Map([["httpbin", upstreams.port("httpbin")]]),
          checkTimeoutMs: 2000,
        }),
      );
      cleanUps.push(() => envoy.stop());
      const ask = async () => (await sendRaw(envoy.listenerPort("in"), REQUEST)).status;
      if (statuses[0] === 200) await waitFor("its health check has passed", async () => (await ask()) === 200);
      expect([await ask(), await ask()]).toEqual(statuses);
    }
  });
});

const REQUEST = { method: "GET", path: "/", authority: "httpbin.foo:8000", headers: [] };

/** The transport_socket of docs/operations.md, with the names of this test. */
function documentedSocket(certificates: readonly object[]): object {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const [, yaml = ""] = /```yaml\n(transport_socket:[^`]*)```/.exec(page) ?? [];
  const text = yaml
    .replaceAll("gatehouse-authz-server.gatehouse-system.svc", SERVER.name)
    .replace("/etc/envoy/authz-ca.crt", join(home, "envoy/ca.crt"));
  const { transport_socket: socket } = parse(text);
  socket.typed_config.common_tls_context.tls_certificates = certificates;
  return socket;
}

async function startServer(
  transport: "lean" | "grpc-js",
  identity: ListenerIdentity | null = HTTPBIN,
): Promise<RunningAuthzServer> {
  const publisher = await startPolicyPublisher(`unix:${join(home, "xds.sock")}`);
  cleanUps.push(() => publisher.stop());
  publisher.publish(new Map([["mesh", [parseMeshConfig("").meshConfig]]]));
  const server = await startAuthzServer({
    controller: publisher.address,
    transport,
    checkTlsDirectory: join(home, "tls"),
    listeners: [{ address: "127.0.0.1:0", identity }],
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 10, capMs: 20 },
    log: pino({ level: "silent" }),
    registry,
  });
  cleanUps.push(() => server.stop());
  await waitFor("policy has arrived", () => server.setVersion() === publisher.version());
  return server;
}

function secure(trusted: TestAuthority, keys?: Awaited<ReturnType<TestAuthority["issue"]>>): ChannelCredentials {
  const shown = keys === undefined ? {} : { cert: keys.certificate, key: keys.privateKey };
  const context = createSecureContext({ ca: [trusted.certificate], ...shown });
  return credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
}

function connect(server: RunningAuthzServer, channel: ChannelCredentials): BoundCheckClient {
  const client = connectBoundCheckClient(server.checkAddresses[0] ?? "", channel, SERVER.name);
  cleanUps.push(() => client.stop());
  return client;
}
