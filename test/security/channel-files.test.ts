import { X509Certificate } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, type TestContext } from "vitest";
import {
  AUTHZ_SERVER_NAME,
  CONTROLLER_NAME,
  mountSecret,
  type TestAuthority,
  writeSecretFiles,
} from "../support/certificates.ts";
import { type CliProcess, PATIENCE_MS } from "../support/cli-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openXdsFilesBench, statusOf, streamsOf, type XdsFilesBench } from "../support/xds-files-bench.ts";

type KeyPair = Awaited<ReturnType<TestAuthority["issue"]>>;

const CONTROLLER = { name: CONTROLLER_NAME, usage: "server" } as const;
const AUTHZ_SERVER = { name: AUTHZ_SERVER_NAME, usage: "client" } as const;
const EXPIRED = { fromMs: Date.now() - 7200_000, toMs: Date.now() - 3600_000 };
const NOT_YET = { fromMs: Date.now() + 3600_000, toMs: Date.now() + 7200_000 };
/** What cert-manager makes of the chart's Certificates. */
const CERT_MANAGER = fileURLToPath(new URL("../support/cert-manager", import.meta.url));

const KEPT = "certificates can't be used; those from before stay, and the directory is read again";

describe("a controller and an authz-server whose certificates come from files", () => {
  it("wait for them, say where they look, and then decide requests by policy", async (context) => {
    const { folders, old, startController, startServer } = await openBench(context);
    const controller = await startController();
    const server = await startServer(controller);
    const missing = join(folders.controller, "tls.crt");
    await controller.logged("no certificates yet; the directory is read again", { problem: `${missing} is missing` });
    const readiness = await fetch(`${controller.admin}/readyz?verbose`);
    expect([readiness.status, await readiness.text()]).toEqual([503, expect.stringContaining(`${missing} is missing`)]);
    const { reason } = await server.logged("no policy stream to the controller; trying again");
    expect(reason).toBe(`no certificate to show: ${join(folders.server, "tls.crt")} is missing`);

    const keys = { controller: await old.issue(CONTROLLER), server: await old.issue(AUTHZ_SERVER) };
    await mountSecret(folders.controller, keys.controller, [old.certificate]);
    await mountSecret(folders.server, keys.server, [old.certificate]);
    await waitFor("the controller is ready", async () => (await fetch(`${controller.admin}/readyz`)).ok, PATIENCE_MS);
    await isDenied(server, "/admin");
    expect(await statusOf(server, "/other")).toBe(200);
    expect(await expiryShownBy(controller, "server")).toBe(expiryOf(keys.controller.certificate));
    expect(await expiryShownBy(server, "client")).toBe(expiryOf(keys.server.certificate));
    expect(await expiryShownBy(server, "ca")).toBe(expiryOf(old.certificate));
  });

  it.for([
    ["mounted Secrets", mountSecret],
    ["renamed files", writeSecretFiles],
  ] as const)("follow a change of authority and of certificates, in %s", async ([, write], context) => {
    const bench = await openBench(context);
    const { folders, old, next } = bench;
    const put = (side: "controller" | "server", keys: KeyPair, trusted: readonly TestAuthority[]) => {
      const texts = trusted.map(({ certificate }) => certificate);
      return write(folders[side], keys, texts);
    };
    const oldKeys = await old.issue(CONTROLLER);
    const oldClientKeys = await old.issue(AUTHZ_SERVER);
    await put("controller", oldKeys, [old]);
    await put("server", oldClientKeys, [old]);
    const controller = await bench.startController();
    const server = await bench.startServer(controller);
    await isDenied(server, "/admin");

    // The next authority is announced, then used; each side has its own moment.
    await put("server", oldClientKeys, [next, old]);
    await put("controller", oldKeys, [next, old]);
    await hasLoaded(controller, 2, { authorities: 2 });
    await hasLoaded(server, 2, { authorities: 2 });
    const newKeys = await next.issue(CONTROLLER);
    const newClientKeys = await next.issue(AUTHZ_SERVER);
    await put("controller", newKeys, [next, old]);
    await hasLoaded(controller, 3);
    expect(await bench.shownTo(controller, oldClientKeys)).toBe(serialNumberOf(newKeys));
    await put("server", newClientKeys, [next, old]);
    await hasLoaded(server, 3);
    await bench.deny("/next");
    await isDenied(server, "/next");
    expect(streamsOf(server)).toEqual({ opened: 1, lost: 0 });

    // The old one is forgotten: what came with its certificates comes again with those of the next.
    await put("controller", newKeys, [next]);
    await hasLoaded(controller, 4, { authorities: 1 });
    await waitFor("the server is back", () => streamsOf(server).opened === 2, PATIENCE_MS);
    await put("server", newClientKeys, [next]);
    await hasLoaded(server, 4, { authorities: 1 });
    expect(await bench.shownTo(controller, oldClientKeys)).toBeNull();
    await bench.deny("/last");
    await isDenied(server, "/last");
    expect(streamsOf(server).opened).toBe(2);
  });

  it("take what cert-manager makes for the chart, and its authority renewed with the same key", async (context) => {
    const { folders, startController, startServer, deny } = await openBench(context);
    await cp(join(CERT_MANAGER, "gatehouse-controller-server"), folders.controller, { recursive: true });
    await cp(join(CERT_MANAGER, "gatehouse-authz-server-client"), folders.server, { recursive: true });
    const controller = await startController("--xds-server-name", CONTROLLER_NAME);
    const server = await startServer(controller, "--xds-client-name", AUTHZ_SERVER_NAME);
    await isDenied(server, "/admin");
    await cp(join(CERT_MANAGER, "renewed-ca.crt"), join(folders.controller, "ca.crt"));
    await hasLoaded(controller, 2);
    await deny("/next");
    await isDenied(server, "/next");
    expect(streamsOf(server)).toEqual({ opened: 1, lost: 0 });
    const late = await startServer(controller);
    await isDenied(late, "/next");
  });

  it("keep what they have, and say what is wrong, while the files are of no use", async (context) => {
    const { folders, old, startController, startServer, deny, shownTo } = await openBench(context);
    const good = { controller: await old.issue(CONTROLLER), server: await old.issue(AUTHZ_SERVER) };
    await mountSecret(folders.controller, good.controller, [old.certificate]);
    await mountSecret(folders.server, good.server, [old.certificate]);
    const controller = await startController("--xds-server-name", CONTROLLER_NAME);
    const server = await startServer(controller, "--xds-client-name", AUTHZ_SERVER_NAME);
    await isDenied(server, "/admin");
    for (const [problem, issue] of FAULTS) {
      await mountSecret(folders.controller, await issue(old, CONTROLLER), [old.certificate]);
      await mountSecret(folders.server, await issue(old, AUTHZ_SERVER), [old.certificate]);
      for (const [side, path] of [
        [controller, folders.controller],
        [server, folders.server],
      ] as const) {
        const find = () => side.log.find((line) => String(line["problem"]).includes(problem));
        const told = await waitFor(problem, find, PATIENCE_MS);
        expect(told).toMatchObject({ level: "warn", msg: KEPT, path });
        const readiness = await fetch(`${side.admin}/readyz?verbose`);
        expect([readiness.status, await readiness.text()]).toEqual([200, expect.stringContaining(problem)]);
      }
      expect(await shownTo(controller, good.server)).toBe(serialNumberOf(good.controller));
    }
    await deny("/next");
    await isDenied(server, "/next");
    expect(streamsOf(server)).toEqual({ opened: 1, lost: 0 });
  });

  it("refuse each other by name, and say which name was shown and which is expected", async (context) => {
    const { folders, old, startController, startServer } = await openBench(context);
    await mountSecret(folders.controller, await old.issue(CONTROLLER), [old.certificate]);
    const stranger = await old.issue({ ...AUTHZ_SERVER, name: "authz.other.svc" });
    await mountSecret(folders.server, stranger, [old.certificate]);
    const controller = await startController();
    const server = await startServer(controller);
    const names = { expected: `DNS:${AUTHZ_SERVER_NAME}`, shown: "DNS:authz.other.svc" };
    await controller.logged("connection refused", { reason: "wrong_name", ...names });
    const renamed = await old.issue({ ...CONTROLLER, name: "xds.other.svc" });
    await mountSecret(folders.controller, renamed, [old.certificate]);
    const { reason } = await server.logged("whoever answers there is not the controller; the policy before goes on");
    expect(reason).toContain(`is not that of ${CONTROLLER_NAME} (wrong_name); it is for DNS:xds.other.svc`);
  });
}, 300_000);

type Side = typeof CONTROLLER | typeof AUTHZ_SERVER;

/** What is said about a certificate that can't be used, and how one is made. */
const FAULTS: readonly (readonly [string, (authority: TestAuthority, side: Side) => Promise<KeyPair>])[] = [
  [
    "tls.key is not the key of tls.crt",
    async (authority, side) => ({
      ...(await authority.issue(side)),
      privateKey: (await authority.issue(side)).privateKey,
    }),
  ],
  ["tls.crt expired at", (authority, side) => authority.issue({ ...side, validity: EXPIRED })],
  ["tls.crt is not valid before", (authority, side) => authority.issue({ ...side, validity: NOT_YET })],
  [
    "tls.crt is for DNS:other.example.com; issue it for the DNS name",
    (authority, side) => authority.issue({ ...side, name: "other.example.com" }),
  ],
  [
    'auth"; issue it with that extended key usage',
    (authority, side) => authority.issue({ ...side, usage: side.usage === "client" ? "server" : "client" }),
  ],
];

async function openBench({ onTestFinished }: TestContext): Promise<XdsFilesBench> {
  const bench = await openXdsFilesBench();
  onTestFinished(() => bench.stop());
  return bench;
}

/** Waits until the policy that denies a path is enforced. */
async function isDenied(server: CliProcess, path: string): Promise<void> {
  await waitFor(`${path} is denied`, async () => (await statusOf(server, path)) === 403, PATIENCE_MS);
}

/** Waits until a process has loaded certificates that often. */
async function hasLoaded({ log }: CliProcess, times: number, fields: object = {}): Promise<void> {
  const last = await waitFor(
    `certificates loaded ${times} times`,
    () => {
      const lines = log.filter(({ msg }) => msg === "certificates loaded");
      return lines.length >= times && lines.at(-1);
    },
    PATIENCE_MS,
  );
  expect(last).toMatchObject(fields);
}

/** In seconds since the epoch. */
function expiryOf(certificate: string): number {
  return new X509Certificate(certificate).validToDate.getTime() / 1000;
}

async function expiryShownBy({ admin }: CliProcess, certificate: string): Promise<number> {
  const sample = new RegExp(`_certificate_expiry_timestamp_seconds\\{certificate="${certificate}"\\} (\\S+)`);
  return Number(sample.exec(await (await fetch(`${admin}/metrics`)).text())?.[1]);
}

function serialNumberOf({ certificate }: KeyPair): string {
  return new X509Certificate(certificate).serialNumber;
}
