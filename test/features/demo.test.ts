import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { findEnvoy } from "../support/envoy.ts";
import { demoToken, groupsScopeToken, publicJwks } from "../support/jwt.ts";
import { waitFor } from "../support/wait-for.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

describe("make demo", () => {
  let resources: string;
  let demo: Demo;

  beforeAll(async () => {
    await findEnvoy(); // may download it, which is not the demo's time
    resources = mkdtempSync(join(tmpdir(), "gatehouse-demo-"));
    cpSync(join(ROOT, "deploy/examples"), resources, { recursive: true });
    demo = startDemo({
      DEMO_RESOURCES: resources,
      DEMO_GATEWAY_PORT: await freePort(),
      DEMO_HTTPBIN_PORT: await freePort(),
      DEMO_CHECK_PORT: await freePort(),
      DEMO_ADMIN_PORT: await freePort(),
    });
    await waitFor("the demo prints its requests", () => demo.requests().length === 8 || demo.throwIfEnded(), 30_000);
  });

  afterAll(() => {
    demo?.child.kill("SIGKILL");
    rmSync(resources, { recursive: true, force: true });
  });

  it("prints curl lines that give the statuses they say", async () => {
    const statuses = [];
    for (const { command } of demo.requests()) statuses.push(await curl(command));
    expect(statuses).toEqual(demo.requests().map(({ status }) => status));
    expect(statuses).toEqual([403, 401, 403, 200, 404, 401, 404, 200]);
  });

  it("answers by an edited policy within a second, and says which one changed", async () => {
    const file = join(resources, "httpbin.yaml");
    const withGroup = demo.requests()[3]?.command ?? "";
    const text = readFileSync(file, "utf8");
    const logBefore = demo.output().length;

    const millisToRevoke = await timeUntil(
      () => writeFileSync(file, text.replace('values: ["group1"]', 'values: ["group9"]')),
      async () => (await curl(withGroup)) === 403,
    );
    expect(millisToRevoke).toBeLessThan(1_000);
    expect(demo.output().slice(logBefore)).toMatch(/AuthorizationPolicy.foo.require-jwt/);

    const millisToGrant = await timeUntil(
      () => writeFileSync(file, text),
      async () => (await curl(withGroup)) === 200,
    );
    expect(millisToGrant).toBeLessThan(1_000);
  });

  it("says which port is in use, and how to choose another", async () => {
    const taken = createServer();
    const port = await new Promise<string>((resolve) => {
      taken.listen(0, "127.0.0.1", () => resolve(portOf(taken)));
    });
    const second = startDemo({
      DEMO_HTTPBIN_PORT: port,
      DEMO_GATEWAY_PORT: await freePort(),
      DEMO_CHECK_PORT: await freePort(),
      DEMO_ADMIN_PORT: await freePort(),
    });
    expect(await second.exitCode).toBe(1);
    taken.close();
    expect(second.output()).toBe(
      `demo: port ${port} (httpbin) is in use; stop what uses it, or choose another one: DEMO_HTTPBIN_PORT=PORT make demo\n`,
    );
  });

  it("ends all of its processes on Ctrl-C", async () => {
    const children = await childrenOf(demo.child.pid ?? 0);
    expect(children.length).toBe(2);
    demo.child.kill("SIGINT");
    expect(await demo.exitCode).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });
});

describe("deploy/demo and deploy/examples", () => {
  it("hold the tokens and the key of the test issuer", async () => {
    const read = (name: string) => readFileSync(join(ROOT, "deploy/demo/tokens", name), "utf8").trim();
    expect(read("demo.jwt")).toBe(await demoToken());
    expect(read("groups-scope.jwt")).toBe(await groupsScopeToken());
    for (const file of ["httpbin.yaml", "ingress-gateway.yaml"]) {
      const [authentication] = parseAllDocuments(readFileSync(join(ROOT, "deploy/examples", file), "utf8"));
      expect(JSON.parse(String(authentication?.getIn(["spec", "jwtRules", 0, "jwks"])))).toEqual(
        JSON.parse(publicJwks()),
      );
    }
  });
});

interface Demo {
  readonly child: ChildProcess;
  readonly exitCode: Promise<number | null>;
  output(): string;
  /** The printed curl lines with the printed statuses. */
  requests(): readonly { readonly command: string; readonly status: number }[];
  /** @returns false while it runs */
  throwIfEnded(): false;
}

function startDemo(ports: Readonly<Record<string, string>>): Demo {
  const child = spawn(process.execPath, ["--conditions=source", "deploy/demo/main.ts"], {
    cwd: ROOT,
    env: { ...process.env, ...ports },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  return {
    child,
    exitCode: new Promise((resolve) => child.once("close", resolve)),
    output: () => output,
    requests: () =>
      [...output.matchAll(/^ *(curl .*?) +# (\d{3}) /gm)].map(([, command = "", status]) => ({
        command,
        status: Number(status),
      })),
    throwIfEnded: () => {
      if (child.exitCode !== null) throw new Error(`the demo ended:\n${output}`);
      return false;
    },
  };
}

async function curl(command: string): Promise<number> {
  return Number((await run("sh", ["-c", command], { cwd: ROOT })).stdout);
}

async function timeUntil(act: () => void, hasHappened: () => Promise<boolean>): Promise<number> {
  act();
  const start = performance.now();
  await waitFor("the edited policy is enforced", hasHappened);
  return performance.now() - start;
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,comm="]);
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .filter(([, parent, name]) => Number(parent) === pid && name !== "ps")
    .map(([child]) => Number(child));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function freePort(): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const port = portOf(probe);
      probe.close(() => resolve(port));
    });
  });
}

function portOf(server: ReturnType<typeof createServer>): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return String(address.port);
}
