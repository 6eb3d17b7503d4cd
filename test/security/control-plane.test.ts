import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import type { AuthorizationPolicy, PolicyResource } from "@gatehouse/protos";
import { loadDiscovery, loadExtAuthz } from "@gatehouse/protos/wire";
import { credentials } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { repositoryFiles } from "../repository/files.ts";
import { getVerbatim as get, startTestAdmin } from "../support/admin.ts";
import { createCheckHarness, encodeCheck, readAnswer, translatePolicies } from "../support/check-harness.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { type PolicyPublisher, startPolicyPublisher } from "../support/policy-publisher.ts";
import { createPolicyReceiver, held } from "../support/policy-receiver.ts";
import { waitFor } from "../support/wait-for.ts";
import { type SecurityCase, securityTest } from "./register.ts";
import { ANYJWT, authorizationPolicy, forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

let home: string;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gatehouse-security-"));
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await rm(home, { recursive: true, force: true });
});

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome"> & Partial<SecurityCase>,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "unit", ...about };
}

const MESH: PolicyResource = parseMeshConfig("").meshConfig;

/** An ALLOW policy of foo that allows nothing, and is as large as its text. */
function nothing(name: string, text = ""): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace: "foo", name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    target: { kind: "namespace" },
    action: "ALLOW",
    dryRun: false,
    provider: "",
    rules: [
      {
        index: 0,
        from: [],
        to: [
          [
            {
              attribute: "path",
              field: "to[0].operation.paths",
              values: [{ kind: "exact", value: `/nowhere${text}` }],
              notValues: [],
            },
          ],
        ],
        when: [],
      },
    ],
  };
}

async function startServer(controller: string, dataDirectory: string | null = null): Promise<RunningAuthzServer> {
  const server = await startAuthzServer({
    controller,
    listeners: [
      {
        address: "127.0.0.1:0",
        identity: { namespace: "foo", labels: [{ name: "app", value: "httpbin" }], gateways: [] },
      },
    ],
    dataDirectory,
    lastGoodIntervalMs: 1,
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 10, capMs: 20 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  cleanUps.push(() => server.stop());
  return server;
}

async function startPublisher(address = `unix:${join(home, "xds.sock")}`): Promise<PolicyPublisher> {
  const publisher = await startPolicyPublisher(address);
  cleanUps.push(() => publisher.stop());
  return publisher;
}

/** HTTP status of a GET of /headers; null when the call fails, and Envoy's failure mode (503) decides. */
function ask(server: RunningAuthzServer): Promise<number | null> {
  const client = new (loadExtAuthz())(server.checkAddresses[0] ?? "", credentials.createInsecure());
  const { path, requestSerialize } = loadExtAuthz().service.Check;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => readAnswer(bytes).status,
      encodeCheck({}),
      (error, status) => {
        client.close();
        resolve(error === null && requestSerialize !== undefined ? (status ?? null) : null);
      },
    );
  });
}

function isReady(server: RunningAuthzServer): boolean {
  return server.readiness().every(({ ok }) => ok);
}

function enforces(server: RunningAuthzServer, version: string): Promise<boolean> {
  return waitFor(`version ${version} is enforced`, () => server.setVersion() === version);
}

async function startDirectoryController(directory: string): Promise<RunningController> {
  const controller = await startController({
    source: { kind: "directory", path: directory },
    xdsAddress: `unix:${join(home, "controller.sock")}`,
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  cleanUps.push(() => controller.stop());
  return controller;
}

describe("who may speak", () => {
  securityTest(
    attack("K01", "C", {
      source: "CVE-2026-53714",
      title: "a policy port that strangers can reach",
      outcome: "without TLS it binds to loopback or a unix socket only",
    }),
    async () => {
      const open = [
        "0.0.0.0:0",
        "[::]:0",
        "192.0.2.1:9002",
        "example.com:9002",
        "10.0.0.1:0",
        "[::ffff:10.0.0.1]:0",
        "unix:relative",
      ];
      for (const xdsAddress of open) {
        const starting = startController({
          source: { kind: "directory", path: home },
          xdsAddress,
          log: pino({ level: "silent" }),
          registry: new Registry(),
        });
        await expect(starting, xdsAddress).rejects.toMatchObject({ code: "BAD_OPTION" });
      }
    },
  );

  securityTest(
    attack("K05", "H", {
      source: "CVE-2022-24726, CVE-2022-39278",
      title: "garbage and oversized messages at the policy port",
      outcome: "the connection ends; other servers get their policy",
    }),
    async () => {
      const publisher = await startPublisher();
      publisher.publish(
        new Map([
          ["mesh", [MESH]],
          ["a", [nothing("a")]],
        ]),
      );
      const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      for (const bytes of [
        Buffer.alloc(100_000, 0xff),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from(`${preface}${"\u0000".repeat(9000)}`),
      ]) {
        await garbage(join(home, "xds.sock"), bytes);
      }
      const client = new (loadDiscovery())(publisher.address, credentials.createInsecure());
      const { path } = loadDiscovery().service.DeltaAggregatedResources;
      const code = await new Promise((resolve) => {
        const call = client.makeBidiStreamRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes) => bytes,
        );
        call.on("error", (error: { readonly code?: number }) => resolve(error.code));
        call.on("data", () => undefined);
        call.write(Buffer.alloc(3_000_000, 0xff)); // no message at all
      });
      client.close();
      expect(code).toBeGreaterThan(0);
      const server = await startServer(publisher.address);
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
    },
  );

  securityTest(
    attack("K06", "H", {
      source: "CVE-2022-39388, CVE-2026-31838",
      title: "debug pages on the admin port",
      outcome: "there are none; what is served holds no key, token or claim",
    }),
    async () => {
      const gatehouse = await startGatehouse({
        policies: requestAuthentication(publicJwks("rsa-2048", "oct-512")) + ANYJWT,
      });
      cleanUps.push(() => gatehouse.stop());
      const admin = await startAdminPort(() => gatehouse.metrics());
      for (const path of [
        "/debug/snapshot",
        "/debug/pprof",
        "/config_dump",
        "/",
        "/snapshot",
        "/quitquitquit",
        "/keys",
      ]) {
        expect((await get(admin, path)).status, path).toBe(404);
      }
      const pages = await Promise.all(["/metrics", "/readyz?verbose", "/healthz"].map((path) => get(admin, path)));
      const shown = pages.map(({ body }) => body).join("") + gatehouse.log().join("");
      const secret: { readonly keys: readonly { readonly k?: string; readonly n?: string }[] } = JSON.parse(
        publicJwks("rsa-2048", "oct-512"),
      );
      for (const text of [...secret.keys.flatMap(({ k, n }) => [k ?? n ?? ""]), TEST_ISSUER]) {
        expect(text.length).toBeGreaterThan(10);
        expect(shown.includes(text)).toBe(false);
      }
    },
  );

  securityTest(
    attack("K07", "M", {
      source: "CVE-2025-24030, CVE-2026-73546",
      title: "odd paths and HTML at the admin port",
      outcome: "exact paths, plain text, nothing of the request repeated",
    }),
    async () => {
      const admin = await startAdminPort(() => Promise.resolve(""));
      const paths = [
        "/metrics/../debug",
        "/metrics/",
        "//metrics",
        "/metrics%2f",
        "/METRICS",
        "/metrics;x",
        "/healthz/x",
        "/%6detrics",
      ];
      for (const path of paths) {
        expect(await get(admin, path), path).toMatchObject({ status: 404, body: "not found\n" });
      }
      const reflected = await get(admin, "/<script>alert(1)</script>");
      expect(reflected.body).not.toContain("script");
      expect(reflected.contentType).toMatch(/^text\/plain/);
      expect((await get(admin, "/metrics?<script>")).contentType).toMatch(/^text\/plain/);
    },
  );

  securityTest(
    attack("K08", "H", {
      level: "check",
      source: "CVE-2021-34824",
      title: "keys and policies of another namespace",
      outcome: "each workload has its own namespace's and the root's, with no shared verdict",
    }),
    async () => {
      const policies = requestAuthentication(publicJwks()) + ANYJWT;
      const harness = await createCheckHarness({ policies, nowMs: () => NOW_SEC * 1000 });
      const token = forge();
      expect((await harness.check({ token })).status).toBe(200);
      // In bar nobody trusts the issuer: the token of foo, verified a moment ago, is nothing there.
      expect(await harness.check({ token, namespace: "bar" })).toMatchObject({ status: 200, removed: [] });
      await harness.apply(policies + ANYJWT.replace("namespace: foo", "namespace: bar"));
      expect((await harness.check({ token })).status).toBe(200);
      expect((await harness.check({ token, namespace: "bar" })).status).toBe(403);
      const other = requestAuthentication(publicJwks("rsa-3072")).replace("namespace: foo", "namespace: bar");
      await harness.apply(policies + other);
      expect((await harness.check({ token, namespace: "bar" })).status).toBe(401);
    },
  );

  securityTest(
    attack("K13", "M", {
      source: "CVE-2020-1764",
      title: "keys, passwords or tokens that are shipped",
      outcome: "none outside of test data and the demo",
    }),
    async () => {
      const root = new URL("../..", import.meta.url).pathname;
      const shipped = repositoryFiles(root).filter(
        (path) =>
          /^(deploy|crds|cli|controller|authz-server|protos|docs|README)/.test(path) &&
          !/\.test\.ts$|testdata|^deploy\/demo\//.test(path),
      );
      expect(shipped.length).toBeGreaterThan(100);
      const secrets =
        /-----BEGIN [A-Z ]*PRIVATE KEY|"(d|dp|dq|qi|k)" *: *"[\w-]{20,}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/;
      const found: string[] = [];
      for (const path of shipped) if (secrets.test(await readFile(join(root, path), "utf8"))) found.push(path);
      expect(found).toEqual([]);
    },
  );
});

describe("what arrives", () => {
  const mesh = held(MESH);
  const deny = held(nothing("deny"));

  securityTest(
    attack("K09", "H", {
      level: "policy",
      source: "rollback",
      title: "old policy after new: a restarted controller, a replayed resource under a new version",
      outcome: "a restarted controller's set replaces all; content must fit its version",
    }),
    async () => {
      const directory = await mkdtemp(join(home, "policies-"));
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("open", "rules: [{}]"));
      const first = await startDirectoryController(directory);
      const server = await startServer(first.xdsAddress);
      await waitFor("the first set is enforced", () => server.setVersion() !== null);
      expect(await ask(server)).toBe(200);
      await first.stop();
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("closed", ""));
      const second = await startDirectoryController(directory);
      await waitFor(
        "the second set is enforced",
        () => second.setVersion() !== null && server.setVersion() === second.setVersion(),
      );
      expect(await ask(server)).toBe(403);

      const receiver = createPolicyReceiver();
      await receiver.apply({ setVersion: "1", upserts: [mesh, deny], removed: [] });
      const open: AuthorizationPolicy = { ...nothing("deny"), rules: [{ index: 0, from: [], to: [], when: [] }] };
      const replayed = { ...held(open), version: deny.version };
      const verdict = await receiver.apply({ setVersion: "2", upserts: [replayed], removed: [] });
      expect(verdict.kind).toBe("refused");
      expect((await receiver.check())?.status).toBe(403);
    },
  );

  securityTest(
    attack("K10", "C", {
      level: "policy",
      source: "damaged snapshots",
      title: "a response cut off, with a flipped bit, a wrong checksum, a name that lies",
      outcome: "refused whole; the policy before goes on",
    }),
    async () => {
      const receiver = createPolicyReceiver();
      expect((await receiver.apply({ setVersion: "1", upserts: [mesh, deny], removed: [] })).kind).toBe("applied");
      const open = held({ ...nothing("open"), rules: [{ index: 0, from: [], to: [], when: [] }] });
      const half = open.bytes.subarray(0, open.bytes.length / 2);
      const damaged = [
        { ...open, bytes: half },
        { ...open, bytes: new Uint8Array() },
        { ...open, version: deny.version },
        { ...open, version: "" },
        { ...open, name: deny.name },
        { ...open, name: "" },
        ...Array.from({ length: open.bytes.length * 8 }, (_, bit) => ({ ...open, bytes: flipped(open.bytes, bit) })),
      ];
      for (const resource of damaged) {
        const verdict = await receiver.apply({ setVersion: "2", upserts: [open, resource], removed: [deny.name] });
        expect(verdict.kind).toBe("refused");
      }
      // The same name twice, once as it is held already.
      const other = held({ ...nothing("deny"), rules: [{ index: 0, from: [], to: [], when: [] }] });
      for (const upserts of [
        [other, deny],
        [deny, other],
      ]) {
        expect((await receiver.apply({ setVersion: "2", upserts, removed: [] })).kind).toBe("refused");
      }
      const removal = await receiver.apply({ setVersion: "2", upserts: [], removed: [mesh.name] });
      expect(removal.kind).toBe("refused");
      expect(receiver.snapshot()?.setVersion).toBe("1");
      expect((await receiver.check())?.status).toBe(403);
    },
  );

  securityTest(
    attack("K11", "C", {
      level: "policy",
      source: "a failed LIST is no empty LIST",
      title: "a source that can't be read, or loses most of its objects at once",
      outcome: "nothing is pushed and nobody is ready; a mass removal is logged as error and counted",
    }),
    async () => {
      const directory = await mkdtemp(join(home, "policies-"));
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("a", ""));
      await writeFile(join(directory, "b.yaml"), "kind: [unfinished");
      const controller = await startDirectoryController(directory);
      const server = await startServer(controller.xdsAddress);
      await waitFor("the fault is known", () =>
        controller.readiness().some(({ message }) => message.includes("b.yaml")),
      );
      expect([controller.setVersion(), server.setVersion(), isReady(server)]).toEqual([null, null, false]);
      expect(await ask(server)).toBeNull();

      const gatehouse = await startGatehouse({
        policies: ["a", "b", "c", "d"].map((name) => authorizationPolicy(name, "")).join(""),
      });
      cleanUps.push(() => gatehouse.stop());
      await gatehouse.apply("");
      await waitFor("the removal is logged", () => gatehouse.log().some((line) => line.includes("vanished at once")));
      expect(await gatehouse.metrics()).toMatch(/mass_removals_total 1/);
    },
  );

  securityTest(
    attack("K12", "H", {
      level: "check",
      source: "CVE-2020-8664",
      title: "a policy whose keys have not arrived yet",
      outcome: "tokens of that issuer get 401; requests without token follow policy",
    }),
    async () => {
      const remote = requestAuthentication("").replace("jwks: ''", "jwksUri: https://keys.example.com/jwks");
      expect(remote).toContain("jwksUri");
      const open = await createCheckHarness({ policies: remote, nowMs: () => NOW_SEC * 1000 });
      for (const key of ["rsa-2048", "rogue-rsa-2048"] as const) {
        expect(await open.check({ token: forge({ key }) })).toMatchObject({
          status: 401,
          body: "Jwt verification fails",
        });
      }
      expect((await open.check()).status).toBe(200);
      const guarded = await createCheckHarness({ policies: remote + ANYJWT, nowMs: () => NOW_SEC * 1000 });
      expect((await guarded.check()).status).toBe(403);
      // The resource of the keys missing altogether is the same.
      const receiver = createPolicyReceiver(() => NOW_SEC * 1000);
      const resources = translatePolicies(requestAuthentication(publicJwks())).flatMap((one) => one.resources);
      const withoutKeys = resources.filter(({ kind }) => kind !== "KeySet").map((resource) => held(resource));
      await receiver.apply({ setVersion: "1", upserts: [mesh, ...withoutKeys], removed: [] });
      expect((await receiver.check({ token: forge() }))?.status).toBe(401);
    },
  );

  securityTest(
    attack("K14", "H", {
      level: "policy",
      source: "gRPC's limit of 4 MB",
      title: "a policy set of 24 MB, then one of 10,000 objects",
      outcome: "arrives whole, is enforced",
    }),
    async () => {
      const publisher = await startPublisher();
      const large = Array.from({ length: 24 }, (_, i) => nothing(`large-${i}`, "x".repeat(1_000_000)));
      publisher.publish(
        new Map<string, readonly PolicyResource[]>([
          ["mesh", [MESH]],
          ["large", large],
        ]),
      );
      const server = await startServer(publisher.address);
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
      publisher.publish(new Map([["large", Array.from({ length: 10_000 }, (_, i) => nothing(`p-${i}`))]]));
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
    },
    30_000,
  );

  securityTest(
    attack("K15", "M", {
      source: "tampering with the cache on disk",
      title: "a last-good file that was changed, is writable for others, or of another version",
      outcome: "ignored: not ready, nothing allowed",
    }),
    async () => {
      const data = join(home, "data");
      const publisher = await startPublisher();
      publisher.publish(
        new Map([
          ["mesh", [MESH]],
          ["a", [nothing("a")]],
        ]),
      );
      const first = await startServer(publisher.address, data);
      await enforces(first, publisher.version());
      await first.stop();
      const file = join(data, "last-good");
      const bytes = await readFile(file);
      const nowhere = `unix:${join(home, "nowhere.sock")}`;

      const intact = await startServer(nowhere, data);
      expect([isReady(intact), await ask(intact)]).toEqual([true, 403]);
      await intact.stop();

      const text = bytes.toString("latin1");
      const changes: readonly (() => Promise<unknown>)[] = [
        () => writeFile(file, flipped(bytes, bytes.length * 8 - 1)),
        () => writeFile(file, bytes.subarray(0, bytes.length - 1)),
        () => writeFile(file, text.replace("gatehouse-last-good 1", "gatehouse-last-good 9"), "latin1"),
        async () => {
          await writeFile(file, bytes);
          await chmod(file, 0o666);
        },
      ];
      for (const change of changes) {
        await change();
        const server = await startServer(nowhere, data);
        expect([isReady(server), server.setVersion(), await ask(server)]).toEqual([false, null, null]);
        await server.stop();
      }
    },
  );
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function garbage(path: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(bytes));
    socket.on("error", () => undefined); // the server may cut it first
    socket.on("close", () => resolve());
    socket.resume();
  });
}

async function startAdminPort(metrics: () => Promise<string>): Promise<string> {
  const admin = await startTestAdmin(metrics);
  cleanUps.push(() => admin.stop());
  return admin.url;
}
