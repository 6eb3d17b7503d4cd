import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OpenedApi, openKubernetesApi } from "../../kubernetes/open-api.ts";
import { type ControllerMetrics, createMetrics } from "../../telemetry/metrics.ts";
import { createRecordingSink, describeSource, policy, type RecordingSink } from "../source.contract.ts";
import { createKubernetesSource, type KubernetesSource } from "./kubernetes-source.ts";
import type { ReflectorTimes } from "./reflector.ts";
import { startTestApiServer, type TestApiServer } from "./testdata/api-server.ts";

const POLICIES = "authorizationpolicies";
const KEY = "AuthorizationPolicy/foo/a";

/** Everything happens in an instant, save what a test waits out. */
const QUICK: Partial<ReflectorTimes> = {
  retry: { firstMs: 5, maxMs: 20 },
  confirmMs: 20,
  patienceMs: 0,
  steadyMs: 0,
};

describeSource("the API server", async () => {
  const server = await startTestApiServer();
  const api = await openKubernetesApi({ kubeconfig: server.kubeconfig });
  const metrics = createMetrics(new Registry());
  return {
    source: createKubernetesSource({ api, metrics, log: pino({ level: "silent" }), times: QUICK }),
    put: async (object) => server.put({ ...object }),
    remove: async (object) => server.remove({ ...object }),
    async close() {
      await api.close();
      await server.close();
    },
  };
});

describe("following the API server", () => {
  let server: TestApiServer;
  let api: OpenedApi;
  let metrics: ControllerMetrics;
  let sink: RecordingSink;
  let stop: AbortController;
  let source: KubernetesSource;
  let running: Promise<void>;

  beforeEach(async () => {
    server = await startTestApiServer();
    api = await openKubernetesApi({ kubeconfig: server.kubeconfig });
    metrics = createMetrics(new Registry());
    sink = createRecordingSink();
    stop = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await api.close();
    await server.close();
  });

  function start(times: Partial<ReflectorTimes> = {}, pageSize = 500): void {
    const log = pino({ level: "silent" });
    source = createKubernetesSource({ api, metrics, log, pageSize, times: { ...QUICK, ...times } });
    running = source.start(sink, stop.signal);
  }

  async function startSynced(times: Partial<ReflectorTimes> = {}): Promise<void> {
    start(times);
    await sink.until(() => sink.isSynced());
    await server.until(() => server.openWatches(POLICIES) === 1);
  }

  const put = (name: string, ...paths: readonly unknown[]) => server.put({ ...policy(name, ...paths) });
  const lists = () => server.calls.filter((call) => call.plural === POLICIES && !call.isWatch).length;
  const has = (text: string) => JSON.stringify(sink.objects.get(KEY)?.spec).includes(text);
  const problems = () => sink.problems().map(({ message }) => message);

  it("reads a long list in pages", async () => {
    for (let i = 0; i < 25; i++) put(`p${i}`, "/x");
    start({}, 10);
    await sink.until(() => sink.isSynced());
    expect(sink.objects.size).toBe(25);
    expect(lists()).toBe(3);
  });

  it("begins a list anew whose token expired, and never delivers a part of one", async () => {
    for (let i = 0; i < 25; i++) put(`p${i}`, "/x");
    let isFirst = true;
    server.intercept(({ query }) => {
      if (!query.has("continue") || !isFirst) return null;
      isFirst = false;
      expect(sink.objects.size).toBe(0);
      return { kind: "status", status: 410, reason: "Expired" };
    });
    start({}, 10);
    await sink.until(() => sink.isSynced());
    expect(sink.objects.size).toBe(25);
  });

  it.each([
    ["500", { kind: "status", status: 500 }],
    ["403", { kind: "status", status: 403, reason: "Forbidden" }],
    ["404", { kind: "status", status: 404, reason: "NotFound" }],
    ["an answer that is no list", { kind: "body", body: "{}" }],
    ["an answer that is no JSON", { kind: "body", body: "<html>" }],
    ["a list without a version", { kind: "body", body: '{"kind":"XList","items":[],"metadata":{}}' }],
    ["a broken connection", { kind: "reset" }],
  ] as const)("has not synced while one kind is answered by %s, says why, and goes on trying", async (_, fault) => {
    put("a", "/a");
    server.intercept((call) => (call.plural === "gateways" ? fault : null));
    start();
    await sink.until(() => problems().some((message) => message.startsWith("Gateway: nothing could be read yet")));
    await sink.until(() => sink.objects.has(KEY));
    const tries = server.calls.filter(({ plural }) => plural === "gateways").length;
    await server.until(() => server.calls.filter(({ plural }) => plural === "gateways").length > tries + 2);
    expect(sink.isSynced()).toBe(false);
    server.intercept(() => null);
    await sink.until(() => sink.isSynced());
    await sink.until(() => sink.problems().length === 0);
  });

  it("waits for a CRD that is not there", async () => {
    server.setCrd("virtualservices", "missing");
    start();
    await sink.until(() => problems().some((message) => message.includes("CustomResourceDefinition virtualservices")));
    expect(sink.isSynced()).toBe(false);
    server.setCrd("virtualservices", "served");
    await sink.until(() => sink.isSynced());
  });

  it.each(["end", "reset"] as const)("goes on from where a watch ended (%s), without a list", async (how) => {
    put("a", "/old");
    await startSynced();
    const before = lists();
    server.endWatches(POLICIES, how);
    put("a", "/new");
    await sink.until(() => has("/new"));
    expect(lists()).toBe(before);
  });

  it.each(["status", "event"] as const)("lists again at 410 as %s, and removes what has gone meanwhile", async (as) => {
    put("a", "/a");
    put("b", "/b");
    put("c", "/c");
    await startSynced();
    server.removeUnseen({ ...policy("b", "/b") });
    server.compact(as);
    server.endWatches(POLICIES, "reset");
    await sink.until(() => !sink.objects.has("AuthorizationPolicy/foo/b"));
    expect([...sink.objects.keys()].sort()).toEqual([KEY, "AuthorizationPolicy/foo/c"]);
  });

  it("opens a watch again that says nothing for longer than the server may be silent", async () => {
    put("a", "/old");
    await startSynced({ watchSeconds: 0.05, graceMs: 300 });
    server.freezeWatches(POLICIES);
    put("a", "/new");
    await sink.until(() => has("/new"));
  });

  it.each([
    ["a half line", '{"type":"ADDED","object":{"met\n'],
    ["an unknown type", '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"1"}}}\n'],
    ["an object without a name", '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}\n'],
    ["no JSON", "hello\n"],
    ["an event of 5 MB", `{"type":"ADDED","object":"${"x".repeat(5_000_000)}"}\n`],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x0a]).toString("latin1")],
  ])("skips %s, counts it and lists again", async (_, bytes) => {
    put("a", "/a");
    await startSynced();
    const before = lists();
    server.write(POLICIES, bytes);
    await server.until(() => lists() > before && server.openWatches(POLICIES) === 1);
    put("a", "/later");
    await sink.until(() => has("/later"));
    expect(sink.calls).not.toContain(`delete ${KEY}`);
  });

  it("keeps what it has of a kind that it may no longer read, says so, and goes on trying", async () => {
    put("a", "/a");
    await startSynced();
    server.intercept(({ plural }) =>
      plural === POLICIES ? { kind: "status", status: 403, reason: "Forbidden" } : null,
    );
    server.endWatches(POLICIES, "end");
    await sink.until(() => problems().some((message) => message.includes("403")));
    expect(problems()[0]).toMatch(/^AuthorizationPolicy: the 1 objects read before stay in force: .*403: Forbidden/);
    expect(source.states().find(({ kind }) => kind === "AuthorizationPolicy")).toMatchObject({ isFollowing: false });
    put("a", "/new");
    server.intercept(() => null);
    await sink.until(() => has("/new"));
    await sink.until(() => sink.problems().length === 0);
  });

  it("keeps everything when the API server is gone for a while, and lists nothing again", async () => {
    put("a", "/a");
    await startSynced();
    const before = lists();
    server.intercept(() => ({ kind: "reset" }));
    for (const plural of [POLICIES, "gateways", "virtualservices", "requestauthentications"]) {
      server.endWatches(plural, "reset");
    }
    await sink.until(() => problems().length === 4);
    put("a", "/new");
    server.intercept(() => null);
    await sink.until(() => has("/new") && sink.problems().length === 0);
    expect(sink.calls.filter((call) => call.startsWith("delete"))).toEqual([]);
    expect(lists()).toBe(before);
  });

  it("takes the end of a CRD for no end of its objects, even when their removal is told first", async () => {
    put("a", "/a");
    put("b", "/b");
    await startSynced();
    server.setCrd(POLICIES, "terminating");
    server.remove({ ...policy("a", "/a") });
    server.remove({ ...policy("b", "/b") });
    await sink.until(() => problems().some((message) => message.includes("is being deleted")));
    server.setCrd(POLICIES, "missing");
    server.endWatches(POLICIES, "end");
    await sink.until(() => problems().some((message) => message.includes("is not there")));
    expect([...sink.objects.keys()].sort()).toEqual([KEY, "AuthorizationPolicy/foo/b"]);
  });

  it("follows a CRD that was made anew, and says that most objects vanished", async () => {
    for (const name of ["a", "b", "c"]) put(name, "/x");
    await startSynced();
    server.setCrd(POLICIES, "missing");
    for (const name of ["a", "b", "c"]) server.removeUnseen({ ...policy(name, "/x") });
    server.endWatches(POLICIES, "end");
    await sink.until(() => problems().some((message) => message.includes("is not there")));
    expect(sink.objects.size).toBe(3);
    server.setCrd(POLICIES, "served");
    await sink.until(() => sink.objects.size === 0);
    await sink.until(() => problems().some((message) => message.includes("3 of 3 objects vanished at once")));
    expect((await metrics.massRemovals.get()).values[0]?.value).toBe(1);
    put("a", "/a");
    await sink.until(() => sink.objects.size === 1 && sink.problems().length === 0);
  });

  it("removes what was in a namespace that is deleted", async () => {
    for (let i = 0; i < 30; i++) put(`p${i}`, "/x");
    await startSynced();
    for (let i = 0; i < 30; i++) server.remove({ ...policy(`p${i}`) });
    await sink.until(() => sink.objects.size === 0);
  });

  it("keeps an object that was removed and made again at once", async () => {
    put("a", "/old");
    await startSynced();
    server.remove({ ...policy("a") });
    put("a", "/new");
    await sink.until(() => has("/new"));
    await server.until(() => server.calls.filter(({ path }) => path === "/apis/security.istio.io/v1").length > 2);
    put("b", "/b");
    await sink.until(() => sink.objects.has("AuthorizationPolicy/foo/b"));
    expect(sink.objects.has(KEY)).toBe(true);
  });

  it("refuses a spec that is too large, and delivers the others", async () => {
    put("a", ...Array.from({ length: 60_000 }, (_, i) => `/path-${i}`));
    put("b", "/b");
    start();
    await sink.until(() => sink.isSynced());
    expect(sink.invalidObjects.get(KEY)?.errors[0]?.message).toMatch(/more than 524288; split the object/);
    expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/b"]);
  });

  it("keeps nothing of metadata that policy does not read", async () => {
    const object = policy("a", "/a");
    server.put({
      ...object,
      metadata: { ...object.metadata, annotations: { "istio.io/dry-run": "true", "kubectl.kubernetes.io/x": "y" } },
    });
    start();
    await sink.until(() => sink.isSynced());
    expect(sink.objects.get(KEY)?.metadata).toEqual({
      name: "a",
      namespace: "foo",
      labels: {},
      annotations: { "istio.io/dry-run": "true" },
      creationTimestamp: "2026-01-01T00:00:00Z",
      generation: 101,
      uid: "uid-101",
      resourceVersion: "101",
    });
  });

  it("tells an observer of versions in which only the status changed", async () => {
    const heard: string[] = [];
    source = createKubernetesSource({
      api,
      metrics,
      log: pino({ level: "silent" }),
      times: QUICK,
      observer: {
        seen: ({ key, resourceVersion, status }) => void heard.push(`seen ${key} ${resourceVersion} ${String(status)}`),
        gone: (key) => void heard.push(`gone ${key}`),
        position: (kind, version) => void (kind === "AuthorizationPolicy" && heard.push(`position ${version}`)),
      },
    });
    running = source.start(sink, stop.signal);
    await sink.until(() => sink.isSynced());
    await server.until(() => server.openWatches(POLICIES) === 1);
    put("a", "/a");
    server.put({ ...policy("a", "/a"), status: "S" });
    server.remove({ ...policy("a", "/a") });
    await sink.until(() => sink.calls.includes(`delete ${KEY}`));
    expect(heard).toEqual([
      "position 100",
      `seen ${KEY} 101 undefined`,
      "position 101",
      `seen ${KEY} 102 S`,
      "position 102",
      `gone ${KEY}`,
      "position 103",
    ]);
  });
});
