import type { Report } from "@gatehouse/controller/translate";
import { describe, expect } from "vitest";
import { type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check");

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
