import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MESH_CONFIG_RESOURCE_NAME } from "@gatehouse/protos";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DeltaClient, openDeltaStream } from "./discovery/testdata/delta-client.ts";
import { type ControllerOptions, type RunningController, startController } from "./main.ts";

const EXAMPLES = fileURLToPath(new URL("../../deploy/examples", import.meta.url));
const POLICY = "AuthorizationPolicy/foo/require-jwt";

const PAIR = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt-example, namespace: foo}
spec:
  selector: {matchLabels: {app: httpbin}}
  jwtRules:
  - issuer: testing@secure.istio.io
    jwks: '{"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: foo}
spec:
  selector: {matchLabels: {app: httpbin}}
  rules:
  - from: [{source: {requestPrincipals: ["testing@secure.istio.io/testing@secure.istio.io"]}}]
`;

let directory: string;
let resources: string;
let registry: Registry;
let logged: Record<string, unknown>[];
let controllers: RunningController[];
let clients: DeltaClient[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-controller-"));
  resources = join(directory, "resources");
  await mkdir(resources);
  registry = new Registry();
  logged = [];
  controllers = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await Promise.all(controllers.map((controller) => controller.stop()));
  await rm(directory, { recursive: true });
});

async function start(options: Partial<ControllerOptions> = {}): Promise<RunningController> {
  const controller = await startController({
    source: { kind: "directory", path: resources },
    xdsAddress: `unix:${directory}/xds.sock`,
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    registry,
    ...options,
  });
  controllers.push(controller);
  return controller;
}

function connect(controller: RunningController): DeltaClient {
  const client = openDeltaStream(controller.xdsAddress, "test");
  clients.push(client);
  client.subscribe(["*"]);
  return client;
}

function isReady(controller: RunningController): boolean {
  return controller.readiness().every(({ ok }) => ok);
}

describe("a directory", () => {
  it("reaches a client as resources, and the controller is ready", async () => {
    await writeFile(join(resources, "a.yaml"), PAIR);
    const controller = await start();
    expect(isReady(controller)).toBe(false);
    expect(controller.setVersion()).toBe(null);
    const response = await connect(controller).response();
    expect([...response.names].sort()).toEqual([
      POLICY,
      expect.stringMatching(/^KeySet\/\/inline-[0-9a-f]{32}$/),
      MESH_CONFIG_RESOURCE_NAME,
      "RequestAuthentication/foo/jwt-example",
    ]);
    expect(isReady(controller)).toBe(true);
    expect(controller.setVersion()).toBe(response.version);
    expect(controller.policies()).toMatchObject({ objects: 2, invalid: 0, partial: 0 });
  });

  it("that is empty yields the mesh configuration alone", async () => {
    const response = await connect(await start()).response();
    expect(response.names).toEqual([MESH_CONFIG_RESOURCE_NAME]);
  });

  it("of the examples is accepted whole", async () => {
    await cp(EXAMPLES, resources, { recursive: true });
    const files = await Promise.all((await readdir(resources)).map((name) => readFile(join(resources, name), "utf8")));
    const controller = await start();
    await connect(controller).response();
    expect(controller.policies()).toMatchObject({ invalid: 0, partial: 0 });
    expect(controller.policies().objects).toBe(files.join("\n").match(/^kind:/gm)?.length);
  });

  it("pushes one resource when one object of a file is edited, within a second, and logs which", async () => {
    await writeFile(join(resources, "a.yaml"), PAIR);
    const client = connect(await start());
    await client.response();
    client.ack();
    const edited = performance.now();
    await writeFile(join(resources, "a.yaml"), PAIR.replace("secure.istio.io/testing@", "secure.istio.io/other@"));
    expect(await client.response()).toMatchObject({ names: [POLICY], removed: [] });
    expect(performance.now() - edited).toBeLessThan(1000);
    expect(logged.at(-1)).toMatchObject({ msg: "policy changed", changed: [POLICY], resourcesChanged: 1 });
  });

  it("removes what is deleted", async () => {
    await writeFile(join(resources, "a.yaml"), PAIR);
    const client = connect(await start());
    await client.response();
    client.ack();
    await writeFile(join(resources, "a.yaml"), PAIR.split("---")[0] ?? "");
    expect(await client.response()).toMatchObject({ names: [], removed: [POLICY] });
  });

  it("with a faulty object shows it in readiness and metrics, stays ready, and serves the last good version", async () => {
    await writeFile(join(resources, "a.yaml"), PAIR);
    const controller = await start();
    await connect(controller).response();
    const version = controller.setVersion();
    await writeFile(join(resources, "a.yaml"), PAIR.replace("rules:\n  - from", "ruels:\n  - from"));
    const message = () => controller.readiness().find(({ name }) => name === "source")?.message;
    await expect.poll(message).toMatch(/a\.yaml:\d+: AuthorizationPolicy foo\/require-jwt: spec\.ruels: /);
    expect(isReady(controller)).toBe(true);
    expect(controller.setVersion()).toBe(version);
    expect(await registry.metrics()).toContain("gatehouse_controller_source_problems 1");
  });

  it("that can't be parsed at the start keeps servers waiting, and says so", async () => {
    await writeFile(join(resources, "a.yaml"), PAIR);
    await writeFile(join(resources, "b.yaml"), "kind: [");
    const controller = await start();
    const message = () => controller.readiness().find(({ name }) => name === "source")?.message;
    await expect.poll(message).toContain("b.yaml:1");
    expect(isReady(controller)).toBe(false);
    const client = connect(controller);
    await writeFile(join(resources, "b.yaml"), "");
    expect((await client.response()).names).toContain(POLICY);
  });
});

it("pushes a changed mesh configuration", async () => {
  const meshConfigFile = join(directory, "mesh.yaml");
  await writeFile(meshConfigFile, "rootNamespace: one");
  const client = connect(await start({ meshConfigFile }));
  await client.response();
  client.ack();
  await writeFile(meshConfigFile, "rootNamespace: two");
  expect((await client.response()).names).toEqual([MESH_CONFIG_RESOURCE_NAME]);
});

it("reports itself in metrics", async () => {
  await writeFile(join(resources, "a.yaml"), PAIR);
  const controller = await start({ nowMs: () => 1_700_000_000_000 });
  await connect(controller).response();
  const text = await registry.metrics();
  for (const line of [
    'gatehouse_controller_policies{kind="AuthorizationPolicy",state="accepted"} 1',
    'gatehouse_controller_policies{kind="RequestAuthentication",state="accepted"} 1',
    "gatehouse_controller_publish_total 1",
    "gatehouse_controller_last_publish_timestamp_seconds 1700000000",
    "gatehouse_controller_connected_servers 1",
    "gatehouse_controller_resources_sent_total 4",
    "gatehouse_controller_nacks_total 0",
    "gatehouse_controller_source_problems 0",
    "gatehouse_controller_translate_seconds_count 1",
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

describe("it refuses to start, with one line that says why,", () => {
  it("without its directory", async () => {
    const path = join(directory, "missing");
    await expect(start({ source: { kind: "directory", path } })).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: `resources directory ${path}: does not exist`,
    });
  });

  it("and leaves nothing open that it had opened before", { timeout: 30_000 }, async () => {
    // An API server that takes requests and says nothing.
    const api = createServer(() => undefined);
    const connections = new Set<Socket>();
    api.on("connection", (socket) => {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
    });
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    const { port } = api.address() as AddressInfo;
    const kubeconfig = join(directory, "kubeconfig");
    const config = {
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    // Read to its end only when something was written to it.
    const caFile = join(directory, "ca.pem");
    execFileSync("mkfifo", [caFile]);
    const secrets = { authoritySecret: "ca", clientSecret: "client", serverName: "s", clientName: "c" };
    const refused = expect(
      start({
        source: { kind: "kubernetes" },
        kubernetes: { kubeconfig, namespace: "default", podName: "p" },
        xdsTls: { kind: "self-managed", namespace: "default", ...secrets },
        keys: { caFile },
      }),
    ).rejects.toMatchObject({ code: "BAD_OPTION" });
    await expect.poll(() => connections.size, { timeout: 10_000 }).toBe(1);
    await writeFile(caFile, "no certificate");
    await refused;
    await expect.poll(() => connections.size, { timeout: 10_000 }).toBe(0);
    api.close();
  });

  it("on an address that others could reach", async () => {
    await expect(start({ xdsAddress: "0.0.0.0:9002" })).rejects.toMatchObject({ code: "BAD_OPTION" });
  });
});

it("stops with a client connected, and can be started again on the same socket", async () => {
  await connect(await start()).response();
  await controllers[0]?.stop();
  controllers.length = 0;
  registry = new Registry();
  const response = await connect(await start()).response();
  expect(response.names).toEqual([MESH_CONFIG_RESOURCE_NAME]);
});
