import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type CheckClient, connectCheckClient } from "../../support/check-client.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import type { ObjectCondition } from "../support/kubernetes-client.ts";

const POLICIES = "/apis/security.istio.io/v1/namespaces/default/authorizationpolicies";
const EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events";

let api: ApiServer;
let registry: Registry;
let controller: RunningController;
let server: RunningAuthzServer;
let client: CheckClient;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api?.stop());
beforeEach(async () => {
  registry = new Registry();
  const log = pino({ level: "silent" });
  controller = await startController({
    source: { kind: "kubernetes", status: { leaseName: "gatehouse-controller" } },
    kubernetes: { kubeconfig: api.kubeconfig, namespace: "default", podName: "test" },
    xdsAddress: "127.0.0.1:0",
    log,
    registry,
  });
  server = await startAuthzServer({
    controller: controller.xdsAddress,
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    drain: { waitMs: 0, deadlineMs: 500 },
    log,
    registry: new Registry(),
  });
  client = connectCheckClient(server.checkAddresses[0] ?? "");
  await waitFor("it leads", async () => (await metric("leader")) === 1);
});
afterEach(async () => {
  client?.stop();
  await server?.stop();
  await controller?.stop();
  await api.client.delete(POLICIES);
});

test("R16: one bad object among 1,000: 999 are enforced, its own scope is denied, and condition and metric tell", async () => {
  const good = Array.from({ length: 999 }, (_, index) => policy(`good-${index}`, { paths: [`/${index}`] }));
  const bad = policy("bad", { paths: ["/fine", "/{*}x"], action: "DENY", app: "closed" });
  await create([...good.slice(500), bad, ...good.slice(0, 500)]);

  await waitFor("all are read", async () => (await policies())["accepted"] === 999, 30_000);
  const statuses = () => Promise.all(good.map((_, index) => statusOf(`/${index}`)));
  await waitFor("the good ones are enforced", async () => (await statuses()).every((status) => status === 200), 30_000);
  expect(await statusOf("/else")).toBe(403);
  // A DENY that can't be read in full could have meant any request of the workloads that it selects.
  expect(await statusOf("/1", "closed")).toBe(403);

  await waitFor("it is told", async () => (await conditionOf("bad", "Accepted"))?.status === "False");
  const accepted = await conditionOf("bad", "Accepted");
  expect(accepted?.reason).toBe("Invalid");
  expect(accepted?.message).toContain("spec.rules[0].to[0].operation.paths[1]: ");
  expect(await conditionOf("bad", "Programmed")).toMatchObject({ status: "False", reason: "Invalid" });
  await waitFor("another is told of", async () => (await conditionOf("good-1", "Accepted"))?.status === "True", 60_000);
  expect(await policies()).toEqual({ accepted: 999, invalid: 1 });
}, 180_000);

test("an object that is good and bad by turns has few events, and a count", async () => {
  for (let turn = 0; turn < 6; turn++) {
    const isBad = turn % 2 === 1;
    await put("flapping", { paths: [isBad ? "/{*}x" : "/x"] });
    await waitFor("it is told", async () => {
      const accepted = await conditionOf("flapping", "Accepted");
      return accepted?.observedGeneration === turn + 1 && accepted.status === (isBad ? "False" : "True");
    });
  }
  const invalid = () => eventsOf("flapping", "Invalid");
  await waitFor("the count is told", async () => Reflect.has((await invalid())[0] ?? {}, "series"), 60_000);
  expect(await invalid()).toMatchObject([{ type: "Warning", series: { count: 3 } }]);
  expect(await eventsOf("flapping", "Accepted")).toHaveLength(1);
}, 120_000);

interface PolicyParts {
  readonly paths: readonly string[];
  readonly action?: "ALLOW" | "DENY";
  /** The workloads that it selects; default: all. */
  readonly app?: string;
}

function policy(name: string, { paths, action = "ALLOW", app }: PolicyParts) {
  const selector = app === undefined ? {} : { selector: { matchLabels: { app } } };
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "default" },
    spec: { ...selector, action, rules: [{ to: [{ operation: { paths } }] }] },
  };
}

async function create(objects: readonly object[]): Promise<void> {
  const rest = objects.values();
  const work = async (): Promise<void> => {
    for (const object of rest) await api.client.create(POLICIES, object);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

function put(name: string, parts: PolicyParts): Promise<void> {
  return api.apply(JSON.stringify(policy(name, parts)));
}

async function statusOf(path: string, app = "httpbin"): Promise<number> {
  return (await client.check({ namespace: "default", labels: `app=${app}`, path })).status;
}

async function conditionOf(name: string, type: string): Promise<ObjectCondition | undefined> {
  const { status } = await api.client.get(`${POLICIES}/${name}`);
  return status?.conditions?.find((condition) => condition.type === type);
}

async function metric(name: string): Promise<number> {
  const values = (await registry.getSingleMetric(`gatehouse_controller_${name}`)?.get())?.values ?? [];
  return values.reduce((sum, { value }) => sum + value, 0);
}

async function eventsOf(name: string, reason: string): Promise<readonly object[]> {
  const { items = [] } = await api.client.get(EVENTS);
  return items.filter((event) => {
    const regarding: { readonly name: string } = Reflect.get(event, "regarding");
    return regarding.name === name && Reflect.get(event, "reason") === reason;
  });
}

/** `gatehouse_controller_policies` of the kind by state; those that are 0 are left out. */
async function policies(): Promise<Readonly<Record<string, number>>> {
  const values = (await registry.getSingleMetric("gatehouse_controller_policies")?.get())?.values ?? [];
  const ofKind = values.filter(({ labels, value }) => labels["kind"] === "AuthorizationPolicy" && value > 0);
  return Object.fromEntries(ofKind.map(({ labels, value }) => [String(labels["state"]), value]));
}
