import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("../bin/gatehouse.js", import.meta.url));

const POLICY = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow-nothing, namespace: foo}
spec: {}
`;

let directory: string;
const processes: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cli-"));
});

afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  await rm(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Gatehouse {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: Record<string, unknown>[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(args: readonly string[], node = process.execPath) {
    const child = spawn(node, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    processes.push(child);
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      stdout += `${line}\n`;
      if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
    this.ended = once(child, "close").then(([code]) => ({ code, stdout, stderr }));
    void this.ended.then(() => this.#wake.resolve());
  }

  /** The first log line with that message. */
  async logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = this.#lines.find((candidate) => candidate["msg"] === message);
      if (line !== undefined) return line;
      if (this.child.exitCode !== null) throw new Error(`ended without "${message}": ${(await this.ended).stderr}`);
      await this.#wake.promise;
    }
  }

  /** Asks /readyz?verbose until it is ready. */
  async ready(): Promise<string> {
    const { url } = await this.logged("serving /healthz, /readyz and /metrics");
    for (;;) {
      const response = await fetch(`${url}/readyz?verbose`);
      const body = await response.text();
      if (response.ok) return body;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): Promise<Ended> {
    this.child.kill("SIGTERM");
    return this.ended;
  }
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Gatehouse(args).ended;
}

const ANY_PORTS = ["--check-port", "0", "--admin-port", "0", "--drain-wait-ms", "0"];

describe("wrong usage", () => {
  test.each([
    [["standalone", "--resorces", "x"], 2, /^gatehouse: unknown option '--resorces'.*see gatehouse --help\n$/],
    [["standalone"], 2, /^gatehouse: --resources is missing; see --help\n$/],
    [["standalone", "--resources", ".", "--check-port", "x"], 2, /^gatehouse: --check-port: "x" is not a whole number/],
    [
      ["standalone", "--resources", ".", "--routing", "x"],
      2,
      /^gatehouse: --routing: "x" is not one of cluster, header\n$/,
    ],
    [["standalone", "--resources", ".", "--listen", "9"], 2, /^gatehouse: --listen "9": no workload/],
    [
      ["controller", "--source", "git:x"],
      2,
      /^gatehouse: --source: "git:x" is not a source; expected kubernetes, or dir:PATH/,
    ],
    [["teleport"], 2, /^gatehouse: unknown command 'teleport'/],
  ])("%j is explained in one line", async (args, code, message) => {
    const ended = await run(...args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(ended.code).toBe(code);
  });

  test("--help says unit and default of each flag, and exits 0", async () => {
    const { code, stdout } = await run("standalone", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("--check-port <PORT>");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(
      "ext_authz calls are answered, gRPC; 0 takes a free one (default: 9001)",
    );
  });
});

describe("what can't be started", () => {
  test.each([
    ["none", "does not exist"],
    ["a.yaml", "is not a directory"],
  ])("%s as directory: %s", async (name, why) => {
    await writeFile(join(directory, "a.yaml"), POLICY);
    const { code, stderr } = await run("standalone", "--resources", join(directory, name), ...ANY_PORTS);
    expect(stderr).toMatch(/^gatehouse: resources directory [^\n]*; give the directory [^\n]*\n$/);
    expect(stderr).toContain(why);
    expect(code).toBe(1);
  });

  test("a controller without access to an API server", async () => {
    const kubeconfig = join(directory, "none");
    const ended = await run("controller", "--source", "kubernetes", "--kubeconfig", kubeconfig, "--admin-port", "0");
    expect(ended.stderr).toMatch(/^gatehouse: Kubernetes: [^\n]*none can't be used: ENOENT[^\n;]*\n$/);
    expect(ended.code).toBe(1);
  });

  test.each(["--check-port", "--admin-port"])("a %s in use", async (flag) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const hosts = ["--host", "127.0.0.1"];
    const ended = await run("standalone", "--resources", directory, ...hosts, ...ANY_PORTS, flag, `${port}`);
    other.close();
    expect(ended.stderr).toMatch(/^gatehouse: cannot listen on 127\.0\.0\.1:\d+[^\n]*already in use[^\n]*\n$/);
    expect(ended.code).toBe(1);
  });

  test("a mesh configuration with errors", async () => {
    const file = join(directory, "mesh.yaml");
    await writeFile(file, "trustDomain: [a]\n");
    const { code, stderr } = await run("standalone", "--resources", directory, "--mesh-config", file, ...ANY_PORTS);
    expect(stderr).toMatch(/^gatehouse: [^\n]*trustDomain[^\n]*\n$/);
    expect(code).toBe(1);
  });
});

describe("standalone", () => {
  test("becomes ready, follows the directory, and ends with code 0 on SIGTERM", async () => {
    const gatehouse = new Gatehouse(["standalone", "--resources", directory, ...ANY_PORTS]);
    const first = await gatehouse.ready();
    expect(first).toContain("[+] current: the policy of the directory is enforced");
    await writeFile(join(directory, "a.yaml"), POLICY);
    const versionOf = (body: string) => /^version: (\w+)$/m.exec(body)?.[1];
    let body = first;
    while (versionOf(body) === versionOf(first)) body = await gatehouse.ready();
    const { code, stdout, stderr } = await gatehouse.stop();
    expect(stdout).toContain("AuthorizationPolicy/foo/allow-nothing");
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

describe("two processes", () => {
  test.each([["controller first"], ["authz-server first"]])("reach ready: %s", async (order) => {
    await writeFile(join(directory, "a.yaml"), POLICY);
    const xds = `unix:${join(directory, "xds.sock")}`;
    const starts = [
      () => new Gatehouse(["controller", "--source", `dir:${directory}`, "--xds-address", xds, "--admin-port", "0"]),
      () => new Gatehouse(["authz-server", "--controller", xds, "--data-dir", join(directory, "data"), ...ANY_PORTS]),
    ];
    if (order === "authz-server first") starts.reverse();
    const started: Gatehouse[] = [];
    for (const start of starts) {
      const gatehouse = start();
      started.push(gatehouse);
      await gatehouse.logged("serving /healthz, /readyz and /metrics");
    }
    const bodies = await Promise.all(started.map((gatehouse) => gatehouse.ready()));
    const versions = new Set(bodies.map((body) => /^version: (\w+)$/m.exec(body)?.[1]));
    expect(versions.size).toBe(1);
    for (const gatehouse of started.reverse()) expect((await gatehouse.stop()).code).toBe(0);
  });
});
