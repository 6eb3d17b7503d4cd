import { Agent, request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { HTTPBIN_APP } from "../support/feature-stack.ts";
import { waitFor } from "../support/wait-for.ts";
import { type CheckServerProcess, startCheckServerProcess } from "./server-process.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Stack {
  readonly envoy: EnvoyProcess;
  readonly upstreams: EchoUpstreams;
  readonly port: number;
}

async function startStack(server: CheckServerProcess, checkTimeoutMs: number): Promise<Stack> {
  cleanUps.push(() => server.kill());
  const upstreams = await startEchoUpstreams([HTTPBIN_APP]);
  cleanUps.push(() => upstreams.stop());
  const envoy = await startEnvoy(
    buildEnvoyBootstrap({
      authzPort: server.port,
      checkTimeoutMs,
      clusters: new Map([[HTTPBIN_APP, upstreams.port(HTTPBIN_APP)]]),
      listeners: [
        { name: "httpbin", profile: "istio-sidecar", identity: { namespace: "foo", labels: { app: "httpbin" } } },
      ],
    }),
  );
  cleanUps.push(() => envoy.stop());
  return { envoy, upstreams, port: envoy.listenerPort("httpbin") };
}

/** How requests for a path ended: status to how often; 0 is an aborted request. */
class Load {
  readonly outcomes = new Map<string, Map<number, number>>();
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #isOver = false;
  readonly #workers: Promise<void>[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** One more client that asks for this path again and again. @param abortAfterMs it hangs up then */
  add(path: string, abortAfterMs: number | null = null): void {
    const work = async (): Promise<void> => {
      while (!this.#isOver) this.#count(path, await this.#ask(path, abortAfterMs));
    };
    this.#workers.push(work());
  }

  count(path: string, status: number): number {
    return this.outcomes.get(path)?.get(status) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  #count(path: string, status: number): void {
    const counts = this.outcomes.get(path) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.outcomes.set(path, counts);
  }

  #ask(path: string, abortAfterMs: number | null): Promise<number> {
    return new Promise((resolve) => {
      const asked = request({ port: this.#port, host: "127.0.0.1", path, agent: this.#agent }, (response) => {
        response.resume();
        response.on("close", () => resolve(response.statusCode ?? 0));
      });
      asked.on("error", () => resolve(0));
      asked.end();
      if (abortAfterMs !== null) setTimeout(() => asked.destroy(), abortAfterMs);
    });
  }
}

/** Waits until so many more requests for the path were allowed. */
async function moreAllowed(load: Load, path: string, more: number): Promise<void> {
  const before = load.count(path, 200);
  await waitFor(`${path} is allowed ${more} times`, () => load.count(path, 200) >= before + more, 30_000);
}

/** The statuses that a path ever had. */
function statuses(load: Load, path: string): readonly number[] {
  return [...(load.outcomes.get(path)?.keys() ?? [])].toSorted((a, b) => a - b);
}

test("loses no request while every connection is asked to leave again and again", async () => {
  const server = await startCheckServerProcess(0, 300);
  const { envoy, port } = await startStack(server, 10_000);
  const load = new Load(port);
  for (let client = 0; client < 8; client += 1) for (const path of ["/a", "/slow", "/deny"]) load.add(path);
  await waitFor("connections were closed", async () => {
    const closed = await envoy.stats("^cluster\\.gatehouse\\.upstream_cx_close_notify$");
    return [...closed.values()].some((count) => count >= 3);
  });
  await load.stop();
  expect([statuses(load, "/a"), statuses(load, "/slow"), statuses(load, "/deny")]).toEqual([[200], [200], [403]]);
  expect(load.count("/a", 200)).toBeGreaterThan(100);
}, 60_000);

test("fails closed while the server is killed, and serves again once it is back", async () => {
  const first = await startCheckServerProcess();
  const { upstreams, port } = await startStack(first, 1_000);
  const load = new Load(port);
  for (let client = 0; client < 8; client += 1) for (const path of ["/a", "/slow", "/deny"]) load.add(path);
  for (let round = 0, server = first; round < 3; round += 1) {
    await moreAllowed(load, "/a", 200);
    await server.kill();
    server = await startCheckServerProcess(first.port);
    const started = server;
    cleanUps.push(() => started.kill());
  }
  await moreAllowed(load, "/a", 200);
  await load.stop();
  expect(load.count("/deny", 200)).toBe(0);
  expect(upstreams.takeReceived().filter(({ path }) => path === "/deny")).toEqual([]);
  expect(load.count("/deny", 403)).toBeGreaterThan(0);
}, 90_000);

test("goes on for others while callers hang up and checks run into their time limit", async () => {
  const server = await startCheckServerProcess();
  const { port } = await startStack(server, 300);
  const load = new Load(port);
  for (let client = 0; client < 8; client += 1) {
    load.add("/a");
    load.add("/slow", 5);
    load.add("/never", client % 2 === 0 ? 50 : null);
  }
  await moreAllowed(load, "/a", 500);
  await waitFor("checks timed out", () => load.count("/never", 503) > 10, 30_000);
  await load.stop();
  expect(statuses(load, "/a")).toEqual([200]);
  expect(load.count("/never", 200)).toBe(0);
  expect(load.count("/slow", 0)).toBeGreaterThan(10);
}, 60_000);
