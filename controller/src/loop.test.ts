import { MESH_CONFIG_RESOURCE_NAME, type PolicyResource } from "@gatehouse/protos";
import { decodeResource, loadDiscovery, POLICY_RESOURCE_TYPE_URL } from "@gatehouse/protos/wire";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toWire } from "./discovery/delta-messages.ts";
import { MAX_MESSAGE_BYTES } from "./discovery/delta-stream.ts";
import { Session, type SessionResponse } from "./discovery/session.ts";
import { Snapshot } from "./discovery/snapshot.ts";
import { SYSTEM_CLOCK } from "./jwks/clock.ts";
import type { FetchOutcome } from "./jwks/fetcher.ts";
import { KeyRefresher } from "./jwks/refresher.ts";
import { runLoop } from "./loop.ts";
import { parseMeshConfig } from "./mesh-config.ts";
import { PolicyLedger } from "./policy-ledger.ts";
import { parseManifests } from "./resources/manifest.ts";
import { ResourceStore } from "./resources/store.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { MAX_POLICY_BYTES } from "./tenancy/namespace-quota.ts";
import { Tenancy } from "./tenancy/tenancy.ts";
import { createTranslateStored, sha256, type TranslateStored } from "./translate-stored.ts";
import { WakeUp } from "./wake-up.ts";

const MESH = { dnsSuffix: "svc.cluster.local", routing: "cluster" } as const;

let store: ResourceStore;
let snapshot: Snapshot;
let ledger: PolicyLedger;
let wakeUp: WakeUp;
let mesh: readonly PolicyResource[] | null;
let published: number;
let translated: string[];
let logged: Record<string, unknown>[];
let translate: TranslateStored;
let keys: KeyRefresher;
let answer: FetchOutcome;
let ending: AbortController;
let running: Promise<void>;

beforeEach(() => {
  store = new ResourceStore(["test"]);
  snapshot = new Snapshot();
  ledger = new PolicyLedger();
  wakeUp = new WakeUp();
  mesh = [parseMeshConfig("").meshConfig];
  published = 0;
  translated = [];
  logged = [];
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  translate = createTranslateStored(MESH, log);
  ending = new AbortController();
  answer = { kind: "failure", class: "connect", detail: "no connection" };
  keys = new KeyRefresher({
    fetch: async () => answer,
    clock: SYSTEM_CLOCK,
    random: () => 0,
    intervalMs: 60_000,
    maxStaleMs: 60_000,
    saved: [],
    onChange: () => wakeUp.notify(),
    onAttempt() {},
  });
  running = runLoop(
    {
      store,
      wakeUp,
      takeMesh() {
        const taken = mesh;
        mesh = null;
        return taken;
      },
      translate(stored) {
        translated.push(stored.key);
        return translate(stored);
      },
      tenancy: new Tenancy({
        hostOwnership: "shared",
        limits: { namespaceBytes: 16 * 1024 * 1024, totalBytes: MAX_POLICY_BYTES },
        hash: sha256,
      }),
      keys,
      snapshot,
      ledger,
      publish: () => {
        published += 1;
      },
      holdOff: { quietMs: 5, maxMs: 50 },
      metrics: createMetrics(new Registry()),
      log,
      nowMs: () => 0,
    },
    ending.signal,
  );
});

afterEach(async () => {
  ending.abort();
  await keys.stop();
  await running;
});

/** What a source does with one version of a file. */
function put(yaml: string): void {
  for (const resource of parseManifests(yaml, "policy.yaml").resources) {
    if (resource.kind === "valid") store.upsert(resource.object, resource.origin);
    else store.invalid(resource.object, resource.origin);
  }
}

function allow(name: string, path = "/"): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: foo}
spec:
  rules:
  - to: [{operation: {paths: ["${path}"]}}]
`;
}

function trust(name: string): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: ${name}, namespace: foo}
spec:
  jwtRules:
  - issuer: testing@secure.istio.io
    jwks: '{"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}'
`;
}

async function publishedTimes(times: number): Promise<void> {
  await expect.poll(() => published, { interval: 5, timeout: 10_000 }).toBe(times);
}

const DELTA = loadDiscovery().service.DeltaAggregatedResources;

/** What a server is sent that has nothing. */
function wholeSet(): SessionResponse {
  const session = new Session();
  const initialVersions = new Map<string, string>();
  session.receive({ subscribe: ["*"], unsubscribe: [], initialVersions, nonce: "", refusal: null }, snapshot);
  const response = session.next(snapshot);
  if (response === null) throw new Error("nothing to send");
  return response;
}

function names(): string[] {
  return [...snapshot.resources.keys()].sort();
}

it("publishes nothing before every source has synced, then everything at once", async () => {
  put(allow("a"));
  put(allow("b"));
  wakeUp.notify();
  await new Promise(setImmediate);
  expect(published).toBe(0);
  store.markSynced("test");
  await publishedTimes(1);
  expect(names()).toEqual(["AuthorizationPolicy/foo/a", "AuthorizationPolicy/foo/b", MESH_CONFIG_RESOURCE_NAME]);
});

it("publishes an empty set too, with the mesh configuration", async () => {
  store.markSynced("test");
  await publishedTimes(1);
  expect(names()).toEqual([MESH_CONFIG_RESOURCE_NAME]);
});

describe("after the first publish", () => {
  beforeEach(async () => {
    put(allow("a"));
    put(trust("t1"));
    put(trust("t2"));
    store.markSynced("test");
    await publishedTimes(1);
    translated.length = 0;
    logged.length = 0;
  });

  it("makes one push of one burst, and names what changed in one log line", async () => {
    put(allow("a", "/other"));
    put(allow("b"));
    store.delete("RequestAuthentication/foo/t1");
    await publishedTimes(2);
    expect(logged).toMatchObject([
      {
        level: 30,
        msg: "policy changed",
        version: snapshot.version,
        added: ["AuthorizationPolicy/foo/b"],
        addedCount: 1,
        changed: ["AuthorizationPolicy/foo/a"],
        changedCount: 1,
        removed: ["RequestAuthentication/foo/t1"],
        removedCount: 1,
        objects: 3,
        invalid: 0,
      },
    ]);
  });

  it("names at most 20 objects of many", async () => {
    put(Array.from({ length: 30 }, (_, i) => allow(`n${i}`)).join("---"));
    await publishedTimes(2);
    expect(logged[0]).toMatchObject({ addedCount: 30 });
    expect(logged[0]?.["added"]).toHaveLength(20);
  });

  it("translates again only what changed, and pushes nothing when that comes to the same", async () => {
    put(allow("a").replace("namespace: foo", "namespace: foo, labels: {team: x}"));
    await expect.poll(() => translated, { timeout: 10_000 }).toEqual(["AuthorizationPolicy/foo/a"]);
    put(allow("b"));
    await publishedTimes(2);
    expect(translated).toEqual(["AuthorizationPolicy/foo/a", "AuthorizationPolicy/foo/b"]);
  });

  it("removes a shared key set with the last object that needs it", async () => {
    const keySets = () => names().filter((name) => name.startsWith("KeySet/"));
    expect(keySets()).toHaveLength(1);
    store.delete("RequestAuthentication/foo/t1");
    await publishedTimes(2);
    expect(keySets()).toHaveLength(1);
    store.delete("RequestAuthentication/foo/t2");
    await publishedTimes(3);
    expect(keySets()).toEqual([]);
  });

  it("publishes a changed mesh configuration", async () => {
    mesh = [parseMeshConfig("rootNamespace: config").meshConfig];
    wakeUp.notify();
    await publishedTimes(2);
    const { bytes } = snapshot.resources.get(MESH_CONFIG_RESOURCE_NAME) ?? { bytes: new Uint8Array() };
    expect(decodeResource(bytes)).toMatchObject({ rootNamespace: "config" });
    expect(logged[0]).toMatchObject({ msg: "policy changed", meshConfig: "changed", resourcesChanged: 1 });
  });

  it("never publishes more than fits into one response, and leaves small namespaces alone", async () => {
    const [parsed] = parseManifests(allow("x"), "policy.yaml").resources;
    if (parsed?.kind !== "valid" || parsed.object.kind !== "AuthorizationPolicy")
      throw new Error("fixture is not valid");
    const { object, origin } = parsed;
    const putLarge = (namespace: string, name: string, bytes: number) => {
      const rules = [{ to: [{ operation: { paths: [`/${"x".repeat(bytes)}`] } }] }];
      store.upsert({ ...object, metadata: { ...object.metadata, namespace, name }, spec: { rules } }, origin);
    };
    // 5 namespaces with 15 MiB each: none has too much by itself.
    for (let n = 0; n < 5; n++) for (let i = 0; i < 30; i++) putLarge(`big${n}`, `p${i}`, 512 * 1024);
    await publishedTimes(2);
    const { length } = DELTA.responseSerialize(toWire(wholeSet(), POLICY_RESOURCE_TYPE_URL));
    expect(length).toBeGreaterThan(50 * 1024 * 1024);
    expect(length).toBeLessThan(MAX_MESSAGE_BYTES);
    const refused = [...ledger.summary().reports.values()].filter(({ reason }) => reason === "QuotaExceeded");
    expect(new Set(refused.map(({ ref }) => ref.namespace)).size).toBe(5);
    expect(ledger.summary().reports.get("AuthorizationPolicy/foo/a")?.reason).toBe("Accepted");
    putLarge("small", "new", 1000);
    await publishedTimes(3);
    expect(ledger.summary().reports.get("AuthorizationPolicy/small/new")?.reason).toBe("Accepted");
    store.delete("AuthorizationPolicy/big0/p0");
    await publishedTimes(4);
    expect(ledger.summary().invalid).toBeLessThan(refused.length);
  });

  it("warns of an object that fails closed, with place, path and message", async () => {
    put(allow("bad").replace('paths: ["/"]', 'paths: ["/{*}x"]'));
    await publishedTimes(2);
    const warning = logged.find(({ level }) => level === 40);
    expect(warning).toMatchObject({
      object: "AuthorizationPolicy/foo/bad",
      msg: "object is not accepted and fails closed",
      problems: [expect.stringMatching(/^policy\.yaml:\d+: AuthorizationPolicy foo\/bad: spec\.rules\[0\]/)],
    });
    expect(ledger.summary()).toMatchObject({ objects: 4, invalid: 1 });
  });

  it("gives an object that was never valid a resource that denies, and keeps the last good version of one that was", async () => {
    const before = snapshot.resources.get("AuthorizationPolicy/foo/a")?.version;
    put(allow("a").replace("rules:", "ruels:"));
    put(allow("new").replace("rules:", "ruels:"));
    await publishedTimes(2);
    expect(snapshot.resources.get("AuthorizationPolicy/foo/a")?.version).toBe(before);
    const { bytes } = snapshot.resources.get("AuthorizationPolicy/foo/new") ?? { bytes: new Uint8Array() };
    expect(decodeResource(bytes)).toMatchObject({ meta: { unenforceable: expect.stringContaining("ruels") } });
  });

  it("fails closed for an object that translation can't handle, and goes on with the others", async () => {
    const working = translate;
    translate = createTranslateStored(MESH, pino({ enabled: false }));
    const odd = parseManifests(allow("odd"), "policy.yaml").resources[0];
    if (odd?.kind !== "valid" || odd.object.kind !== "AuthorizationPolicy") throw new Error("fixture is not valid");
    const explosive = {
      get rules(): never {
        throw new Error("bug");
      },
    };
    store.upsert({ ...odd.object, spec: explosive }, odd.origin);
    put(allow("fine"));
    await publishedTimes(2);
    translate = working;
    const { bytes } = snapshot.resources.get("AuthorizationPolicy/foo/odd") ?? { bytes: new Uint8Array() };
    expect(decodeResource(bytes)).toMatchObject({ meta: { unenforceable: expect.stringContaining("internal error") } });
    expect(snapshot.resources.has("AuthorizationPolicy/foo/fine")).toBe(true);
  });
});

it("costs one edit for one edit among 10,000 policies: one translation, one resource sent", async () => {
  put(Array.from({ length: 10_000 }, (_, i) => allow(`n${i}`)).join("---"));
  store.markSynced("test");
  await publishedTimes(1);
  const session = new Session();
  const none = { subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: "", refusal: null };
  session.receive({ ...none, subscribe: ["*"] }, snapshot);
  const first = session.next(snapshot);
  expect(first?.resources).toHaveLength(10_001);
  session.receive({ ...none, nonce: first?.nonce ?? "" }, snapshot);
  translated.length = 0;

  put(allow("n5000", "/other"));
  await publishedTimes(2);
  const second = session.next(snapshot);
  expect(translated).toEqual(["AuthorizationPolicy/foo/n5000"]);
  expect(second?.resources.map(({ name }) => name)).toEqual(["AuthorizationPolicy/foo/n5000"]);
  expect(second?.removed).toEqual([]);
});

it("publishes fetched keys with the policy that needs them, and later changes of them alone", async () => {
  const uri = "https://idp.example.com/keys";
  const fetched = (name: string) => trust(name).replace(/jwks: .*/, `jwksUri: ${uri}`);
  const kidsAtServers = () => {
    const name = names().find((candidate) => candidate.startsWith("KeySet//remote-")) ?? "";
    const resource = snapshot.resources.get(name);
    const keySet = resource === undefined ? null : decodeResource(resource.bytes);
    return keySet?.kind === "KeySet" ? keySet.keys.map(({ kid }) => kid) : null;
  };
  const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  const keysNamed = (kid: string): FetchOutcome => {
    return { kind: "keys", keys: [{ kty: "OKP", crv: "Ed25519", kid, alg: "", x }], skipped: [], freshMs: null };
  };
  answer = keysNamed("old");
  put(fetched("a"));
  put(fetched("b"));
  store.markSynced("test");
  await publishedTimes(1);
  expect(kidsAtServers()).toEqual(["old"]);
  const { revision } = snapshot;
  translated = [];
  answer = keysNamed("new");
  keys.hint(keys.health()[0]?.keySet ?? "");
  await publishedTimes(2);
  expect(kidsAtServers()).toEqual(["new"]);
  expect([...(snapshot.changedSince(revision) ?? [])]).toEqual([expect.stringMatching(/^KeySet/)]);
  expect(translated).toEqual([]);
});
