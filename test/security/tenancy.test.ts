import type { Report } from "@gatehouse/controller/translate";
import { afterEach, describe, expect } from "vitest";
import { type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import {
  type KubernetesController,
  type StoredObject,
  startKubernetesController,
} from "../support/kubernetes-controller.ts";
import { waitFor } from "../support/wait-for.ts";
import { type SecurityCase, securityTest } from "./register.ts";

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome" | "level">,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], ...about };
}

/** A VirtualService of foo/gw that sends a path of shop.example.com to a cluster named after its namespace. */
function route(namespace: string, name: string, createdAt: string, match: object): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { namespace: ${namespace}, name: ${name}, creationTimestamp: "${createdAt}" }
spec:
  hosts: [shop.example.com]
  gateways: [foo/gw]
  http: [{ match: [${JSON.stringify(match)}], route: [{ destination: { host: ${name}.${namespace}.svc.cluster.local, port: { number: 80 } } }] }]
---`;
}

/** A Gateway of foo. @param host with the namespaces that may bind to it */
function gateway(host: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { namespace: foo, name: gw }
spec: { selector: { app: gw }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["${host}"] }] }
---`;
}

/** Where a request for a path is sent; null: 404. */
async function clusterOf(harness: CheckHarness, path: string): Promise<string | null> {
  const answer = await harness.check({ host: "shop.example.com", path, labels: "app=gw", gateways: "foo/gw" });
  return answer.code === 0 ? (answer.set.get("x-gatehouse-cluster") ?? "") : null;
}

function verdictOf(harness: CheckHarness, name: string): Report | undefined {
  return harness.reports().find(({ ref }) => ref.kind === "VirtualService" && ref.name === name);
}

function remarksOn(harness: CheckHarness, name: string): readonly string[] {
  return (verdictOf(harness, name)?.diagnostics ?? []).map(({ message }) => message);
}

const OLD = "2026-01-01T00:00:00Z";
const YOUNG = "2026-02-01T00:00:00Z";

describe("tenants of one gateway", () => {
  securityTest(
    attack("M01", "H", {
      level: "check",
      source: "ISTIO-SECURITY-2026-002",
      title: "a VirtualService of bar claims a host that is foo's, by the Gateway or by being there first",
      outcome:
        "not bound where the Gateway leaves the host to foo; with --host-ownership first-namespace none of its routes is used there, and its status says whose host it is",
    }),
    async () => {
      const policies =
        route("foo", "own", YOUNG, { uri: { prefix: "/own" } }) + route("bar", "thief", OLD, { uri: { prefix: "/" } });
      const left = await createCheckHarness({ policies: gateway("foo/shop.example.com") + policies });
      expect(await clusterOf(left, "/own")).toBe("own.foo.svc.cluster.local:80");
      expect(await clusterOf(left, "/other")).toBeNull();
      const own = await createCheckHarness({ policies: gateway("./shop.example.com") + policies });
      expect(await clusterOf(own, "/other")).toBeNull();

      const owner = route("foo", "own", OLD, { uri: { prefix: "/own" } });
      const thief = route("bar", "thief", YOUNG, { uri: { prefix: "/" } });
      const taken = await createCheckHarness({
        policies: gateway("*/shop.example.com") + thief + owner,
        hostOwnership: "first-namespace",
      });
      expect(await clusterOf(taken, "/own")).toBe("own.foo.svc.cluster.local:80");
      expect(await clusterOf(taken, "/other")).toBeNull();
      expect(verdictOf(taken, "thief")).toMatchObject({ accepted: false, reason: "Conflicted" });
      expect(verdictOf(taken, "thief")?.diagnostics[0]?.message).toContain("the older VirtualService foo/own");
      expect(verdictOf(taken, "own")).toMatchObject({ accepted: true, diagnostics: [] });

      // A name under the owner's wildcard is his too, and what he is not there to serve is nobody's.
      const wide = owner.replace("shop.example.com", "'*.example.com'");
      const under = await createCheckHarness({
        policies: gateway("*/*") + thief + wide,
        hostOwnership: "first-namespace",
        settings: { unmatchedHosts: "passthrough" },
      });
      expect(await clusterOf(under, "/own")).toBe("own.foo.svc.cluster.local:80");
      expect(await clusterOf(under, "/other")).toBeNull();
    },
  );

  securityTest(
    attack("M02", "H", {
      level: "check",
      source: "Authorino's host collisions",
      title: "two VirtualServices for the same host and path, in any order of arrival",
      outcome: "the oldest wins; of equal age, the first by name and namespace; the status of both names the other",
    }),
    async () => {
      const same = { uri: { exact: "/pay" } };
      const first = route("foo", "own", OLD, same);
      const second = route("bar", "later", YOUNG, same);
      for (const policies of [first + second, second + first]) {
        const harness = await createCheckHarness({ policies: gateway("*/shop.example.com") + policies });
        expect(await clusterOf(harness, "/pay")).toBe("own.foo.svc.cluster.local:80");
        expect(remarksOn(harness, "own")).toEqual([
          "host shop.example.com at gateway foo/gw is shared with VirtualService bar/later of another namespace; the routes of this object go first, being older",
        ]);
        expect(remarksOn(harness, "later")).toEqual([
          "host shop.example.com at gateway foo/gw is shared with VirtualService foo/own of another namespace; its routes go first, being older",
          "never matches for host shop.example.com at gateway foo/gw: VirtualService foo/own goes first and has the same match",
        ]);
      }
      const twin = route("bar", "own", OLD, same);
      for (const policies of [first + twin, twin + first]) {
        const harness = await createCheckHarness({ policies: gateway("*/shop.example.com") + policies });
        expect(await clusterOf(harness, "/pay")).toBe("own.bar.svc.cluster.local:80");
      }
    },
  );

  securityTest(
    attack("M03", "H", {
      level: "check",
      source: "selector escape",
      title: "policies of bar that select the labels of foo's workloads",
      outcome: "they act in bar only; those of the root namespace act everywhere",
    }),
    async () => {
      const selecting = (namespace: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { namespace: ${namespace}, name: deny }
spec: { action: DENY, selector: { matchLabels: { app: httpbin } }, rules: [{}] }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { namespace: ${namespace}, name: require }
spec: { selector: { matchLabels: { app: httpbin } }, jwtRules: [{ issuer: x, jwks: '{"keys":[]}' }] }
`;
      const others = await createCheckHarness({ policies: selecting("bar") });
      expect((await others.check({ token: "odd" })).status).toBe(200);
      expect((await others.check({ namespace: "bar" })).status).toBe(403);
      const root = await createCheckHarness({ policies: selecting("istio-system") });
      expect((await root.check({})).status).toBe(403);
    },
  );
});

describe("objects of the API server", () => {
  let started: KubernetesController | null = null;
  afterEach(async () => {
    await started?.stop();
    started = null;
  });

  async function start(...objects: readonly StoredObject[]): Promise<KubernetesController> {
    return await startWith({}, ...objects);
  }

  async function startWith(
    options: Parameters<typeof startKubernetesController>[1],
    ...objects: readonly StoredObject[]
  ): Promise<KubernetesController> {
    const running = await startKubernetesController(objects, options);
    started = running;
    await waitFor("policy is published", () => running.controller.setVersion() !== null);
    return running;
  }

  function policy(name: string, namespace = "foo", paths: readonly string[] = ["/x"]): StoredObject {
    return {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name, namespace },
      spec: { action: "DENY", rules: [{ to: [{ operation: { paths } }] }] },
    };
  }

  const names = ({ controller }: KubernetesController) => [...controller.policies().reports.keys()].sort();

  securityTest(
    attack("M04", "M", {
      level: "unit",
      source: "CVE-2022-21701",
      title: "objects that name others: targets, providers, key sources, gateways of other namespaces",
      outcome: "the source lists and watches its own kinds and asks for nothing else",
    }),
    async () => {
      const { server } = await start(policy("a"), {
        ...policy("custom"),
        spec: {
          action: "CUSTOM",
          provider: { name: "../secrets" },
          targetRefs: [{ kind: "Secret", name: "x" }],
          rules: [{}],
        },
      });
      const paths = new Set(server.calls.map(({ path }) => path));
      expect([...paths].filter((path) => !/^\/apis\/(security|networking)\.istio\.io(\/|$)/.test(path))).toEqual([]);
    },
  );

  securityTest(
    attack("M05", "M", {
      level: "unit",
      source: "CVE-2025-25207",
      title: "a tenant applies objects of 1 MB, one that changes all the time, and thousands of small ones",
      outcome:
        "large objects are refused, and the newest of a namespace that has more than its room; others go on at once, and the log stays short",
    }),
    async () => {
      const maxNamespaceBytes = 512 * 1024;
      const running = await startWith({ maxNamespaceBytes }, policy("kept", "quiet"));
      const large = Array.from({ length: 60_000 }, (_, i) => `/a-long-path-${i}`);
      for (let i = 0; i < 5; i++) running.server.put(policy(`large-${i}`, "noisy", large));
      for (let i = 0; i < 500; i++) running.server.put(policy("busy", "noisy", [`/${i}`]));
      running.server.put(policy("new", "quiet"));
      const key = "AuthorizationPolicy/quiet/new";
      await waitFor("the quiet tenant's policy is in", () => names(running).includes(key));
      await waitFor("large ones are known", () => running.controller.policies().invalid === 5);
      expect(names(running)).toContain("AuthorizationPolicy/quiet/kept");

      const before = running.log.length;
      for (let i = 0; i < 5_000; i++) running.server.put(policy(`many-${i}`, "noisy"));
      running.server.put(policy("newer", "quiet"));
      const { controller } = running;
      const reasons = (namespace: string) =>
        [...controller.policies().reports.values()]
          .filter(({ ref }) => ref.namespace === namespace)
          .map((r) => r.reason);
      await waitFor("all are judged", () => reasons("noisy").length >= 5_006 && reasons("quiet").length === 3);
      const counts = Map.groupBy(reasons("noisy"), (reason) => reason);
      expect(counts.get("Accepted")?.length).toBeGreaterThan(500);
      expect(counts.get("QuotaExceeded")?.length).toBeGreaterThan(500);
      expect(reasons("quiet")).toEqual(["Accepted", "Accepted", "Accepted"]);
      expect(running.log.length - before).toBeLessThan(300);

      // There is room again, and what was refused comes in by itself.
      for (let i = 0; i < 4_900; i++) running.server.remove(policy(`many-${i}`, "noisy"));
      const isRefused = () => reasons("noisy").includes("QuotaExceeded");
      await waitFor("the rest is accepted", () => reasons("noisy").length < 200 && !isRefused());
    },
  );

  securityTest(
    attack("M06", "M", {
      level: "unit",
      source: "noise",
      title: "an object that fails again and again, in the same way",
      outcome: "a line for a change of the set, not for each version",
    }),
    async () => {
      const running = await start(policy("good"));
      const before = running.log.length;
      for (let i = 0; i < 200; i++) running.server.put(policy("flapping", "noisy", [`/{*}x${i}`]));
      running.server.put(policy("last"));
      await waitFor("the last is in", () => names(running).includes("AuthorizationPolicy/foo/last"));
      expect(running.log.length - before).toBeLessThan(20);
    },
  );

  securityTest(
    attack("M07", "M", {
      level: "unit",
      source: "deleted CRD",
      title: "the CRD of the policies is deleted, and with it every object",
      outcome: "the policies stay in force, and it is an error; a deleted object alone goes",
    }),
    async () => {
      const running = await start(policy("one"), policy("two"), policy("three"));
      running.server.remove(policy("three"));
      await waitFor("one object goes", () => names(running).length === 2);
      const version = running.controller.setVersion();
      running.server.setCrd("authorizationpolicies", "terminating");
      for (const name of ["one", "two"]) running.server.remove(policy(name));
      const problem = () =>
        running.controller
          .readiness()
          .map(({ message }) => message)
          .join("\n");
      await waitFor("it is told", () => problem().includes("is being deleted"));
      expect(running.controller.setVersion()).toBe(version);
      expect(names(running)).toHaveLength(2);
      expect(running.log.some((line) => line.includes("is being deleted") && line.includes('"level":50'))).toBe(true);
    },
  );

  securityTest(
    attack("M08", "M", {
      level: "unit",
      source: "JavaScript",
      title: "names of 253 characters, and names that objects of JavaScript have",
      outcome: "each is itself; what is no name is refused",
    }),
    async () => {
      const long = "a".repeat(63).concat(".").repeat(3).concat("b".repeat(61));
      const running = await start(
        policy(long),
        policy("constructor", "constructor"),
        policy("tostring", "valueof"),
        {
          ...policy("labels"),
          metadata: { name: "labels", namespace: "foo", labels: JSON.parse('{"__proto__":"x"}') },
        },
        policy("__proto__", "__proto__"),
      );
      expect(names(running)).toEqual([
        "AuthorizationPolicy/__proto__/__proto__",
        "AuthorizationPolicy/constructor/constructor",
        `AuthorizationPolicy/foo/${long}`,
        "AuthorizationPolicy/foo/labels",
        "AuthorizationPolicy/valueof/tostring",
      ]);
      // A label of that name, and a namespace that none can have: refused, and closed within their scope.
      expect(running.controller.policies().invalid).toBe(2);
      expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
    },
  );
});
