import { afterEach, describe, expect } from "vitest";
import {
  type KubernetesController,
  type StoredObject,
  startKubernetesController,
} from "../support/kubernetes-controller.ts";
import { waitFor } from "../support/wait-for.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("unit");

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
