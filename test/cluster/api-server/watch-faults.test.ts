import { type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { startTlsProxy, type TlsProxy, type WatchFault } from "../support/tls-proxy.ts";

const POLICIES = "/apis/security.istio.io/v1/namespaces/default/authorizationpolicies";

/** What the controller counts: events it skipped, lists of all objects, and watches that broke. */
interface Counts {
  readonly events_skipped_total: number;
  readonly relists_total: number;
  readonly watch_restarts_total: number;
}

const SKIPPED: Counts = { events_skipped_total: 1, relists_total: 1, watch_restarts_total: 1 };
/** The event was not taken, and the API server says it again to a watch that begins before it. */
const RESUMED: Counts = { events_skipped_total: 0, relists_total: 0, watch_restarts_total: 1 };

const half = (line: string): string => line.slice(0, line.length / 2);
const FAULTS: readonly (readonly [string, WatchFault, Counts])[] = [
  ["half a line, and the connection is lost", { send: half, after: "cut" }, RESUMED],
  ["half a line, and the answer ends", { send: half, after: "end" }, SKIPPED],
  ["half a line, and the next one", { send: (line) => `${half(line)}\n`, after: "go on" }, SKIPPED],
  ["garbage", { send: () => "\u0007not JSON at all{{\n", after: "go on" }, SKIPPED],
  [
    "an event of 5 MB",
    { send: (line) => `${line.slice(0, -1)},"x":"${"x".repeat(5_000_000)}"}\n`, after: "go on" },
    SKIPPED,
  ],
  [
    "an unknown event type",
    { send: (line) => `${line.replace(/"type":"\w+"/, '"type":"RENAMED"')}\n`, after: "go on" },
    SKIPPED,
  ],
];

let server: ApiServer;
let proxy: TlsProxy;
let registry: Registry;
let controller: RunningController;

beforeAll(async () => {
  server = await startApiServer();
  proxy = await startTlsProxy({ port: server.port, ca: server.authority });
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  for (const name of ["kept", "edited", "deleted"]) await server.client.create(POLICIES, policy(name, "/old"));
  registry = new Registry();
  controller = await startController({
    source: { kind: "kubernetes" },
    kubernetes: {
      kubeconfig: await server.writeKubeconfig({ port: proxy.port, authority: proxy.authority }),
      namespace: "default",
      podName: "test",
    },
    xdsAddress: "127.0.0.1:0",
    log: pino({ level: "silent" }),
    registry,
  });
  await waitFor("policy is published", () => controller.setVersion() !== null);
});
afterEach(async () => {
  await controller?.stop();
  await server.client.delete(POLICIES);
});

describe.each(FAULTS)("R09: %s in place of", (_, fault, counts) => {
  it("a new object: it arrives all the same", async () => {
    await spoil("added", () => server.client.create(POLICIES, policy("added", "/new")));
    await stays("it arrives", () => has("added"));
    await expectCounts();
    await expectFollowed();
    expect(names()).toEqual(["added", "deleted", "edited", "kept", "later"]);
  });

  it("an edit: it arrives all the same, and what it was before stays in force until then", async () => {
    const before = controller.setVersion();
    await spoil("edited", () => server.client.patch(`${POLICIES}/edited`, { spec: policy("edited", "/new").spec }));
    await stays("it arrives", () => has("edited") && controller.setVersion() !== before);
    await expectCounts();
    await expectFollowed();
    expect(names()).toEqual(["deleted", "edited", "kept", "later"]);
  });

  it("a deletion: this one goes, and no other", async () => {
    await spoil("deleted", () => server.client.delete(`${POLICIES}/deleted`));
    await stays("it goes", () => !has("deleted"));
    await expectCounts();
    await expectFollowed();
    expect(names()).toEqual(["edited", "kept", "later"]);
  });

  /** Makes a change whose event the controller gets spoiled. */
  async function spoil(name: string, change: () => Promise<unknown>): Promise<void> {
    counted = await count();
    const spoiled = proxy.spoil(`"name":"${name}"`, fault);
    await change();
    await spoiled;
  }

  let counted: Counts;

  async function expectCounts(): Promise<void> {
    const now = await count();
    const difference = Object.entries(counted).map(([name, value]) => [name, Reflect.get(now, name) - value]);
    expect(Object.fromEntries(difference)).toEqual(counts);
  }
});

test("R07: history is compacted between two pages of a list, which gets 410: what was deleted meanwhile goes", async () => {
  const more = Array.from({ length: 600 }, (_, index) => policy(`more-${index}`, "/x"));
  await server.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items: more }));
  await stays("all are there", () => names().length === 603);
  const page = proxy.hold("continue=");
  void proxy.spoil(`"name":"edited"`, { send: () => "not JSON\n", after: "go on" });
  await server.client.patch(`${POLICIES}/edited`, { spec: policy("edited", "/new").spec });
  const { release } = await page;
  // It is on the page that the controller has read.
  await server.client.delete(`${POLICIES}/deleted`);
  await server.compact();
  // The API server's own cache still remembers the revision until it is restarted.
  await server.end("kube-apiserver", "kill");
  await server.start("kube-apiserver");
  expect(await release()).toBe(410);
  await stays("what was deleted goes", () => !has("deleted"));
  expect(names()).toHaveLength(602);
  await expectFollowed();
}, 120_000);

/** Until it is so, nothing that nobody touches may be gone. */
async function stays(what: string, probe: () => boolean): Promise<void> {
  await waitFor(what, () => {
    expect(names()).toEqual(expect.arrayContaining(["edited", "kept"]));
    return probe();
  });
}

async function expectFollowed(): Promise<void> {
  await server.client.create(POLICIES, policy("later", "/x"));
  await stays("a later change arrives", () => has("later"));
  const values = (await registry.getSingleMetric("gatehouse_controller_mass_removals_total")?.get())?.values;
  expect(values?.map(({ value }) => value)).toEqual([0]);
}

function names(): readonly string[] {
  return [...controller.policies().reports.keys()].map((key) => key.split("/")[2] ?? "").sort();
}

function has(name: string): boolean {
  return names().includes(name);
}

async function count(): Promise<Counts> {
  const of = async (name: keyof Counts): Promise<number> => {
    const values = (await registry.getSingleMetric(`gatehouse_controller_${name}`)?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  return {
    events_skipped_total: await of("events_skipped_total"),
    relists_total: await of("relists_total"),
    watch_restarts_total: await of("watch_restarts_total"),
  };
}

function policy(name: string, path: string) {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "default" },
    spec: { rules: [{ to: [{ operation: { paths: [path] } }] }] },
  };
}
