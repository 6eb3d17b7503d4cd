import { X509Certificate } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { issueTestAuthority } from "../../support/certificates.ts";
import { demoToken, groupsScopeToken, mintToken, TEST_ISSUER } from "../../support/jwt.ts";
import { waitFor } from "../../support/wait-for.ts";
import { ask } from "../support/ask.ts";
import { installGatehouse, SYSTEM } from "../support/gatehouse-release.ts";
import { type ClusterNode, type RunningPod, startNode } from "../support/node.ts";
import { lastUntil, outageSeconds, outageTimeoutMs } from "../support/outage.ts";
import { applyPolicies, deletePolicies } from "../support/policies.ts";
import { readMetric } from "../support/read-metric.ts";
import { JWKS_URI, type SampleMesh, startSampleMesh } from "../support/sample-mesh.ts";
import { type LoadRequest, type SteadyLoad, startSteadyLoad } from "../support/steady-load.ts";

// A steady load goes through Envoy while something is taken away. Each request has one right answer, whatever happens.

let node: ClusterNode;
let mesh: SampleMesh;
let requests: readonly LoadRequest[];
let load: SteadyLoad;

beforeAll(async () => {
  node = await startNode();
  await installGatehouse(node);
  mesh = await startSampleMesh(node);
  await deletePolicies(node);
  await applyPolicies(node, POLICIES);
  const [demo, groupsScope] = await Promise.all([demoToken(), groupsScopeToken()]);
  requests = [
    { token: groupsScope, status: 200 },
    { token: demo, status: 403 },
    { token: "some.invalid.token", status: 401 },
    { status: 403 },
  ];
}, 900_000);

beforeEach(() => {
  load = startSteadyLoad({ address: mesh.httpbin }, requests);
});
afterEach(() => load.stop());

const UNCONTROLLED_SECONDS = outageSeconds(1, 8 * 3600);

describe("under a steady load", () => {
  it("R01 an authz-server is killed", async () => {
    const [victim] = await authzServers();
    if (victim === undefined) throw new Error("no authz-server runs");
    await steady();
    await node.killContainer(victim);
    const seconds = await secondsUntil("the server is back", async () => {
      const pod = (await authzServers()).find(({ name }) => name === victim.name);
      return pod?.isReady === true && pod.restarts > victim.restarts;
    });
    await expectNoHarm(`authz-server killed, ready again after ${seconds} s`);
  });

  it("R02 the leading controller is killed", async () => {
    const before = await leader();
    const victim = (await controllers()).find(({ name }) => before.holder.includes(name));
    if (victim === undefined) throw new Error(`no controller is the leader ${before.holder}`);
    await steady();
    await node.killContainer(victim);
    const seconds = await secondsUntil("somebody leads", async () => {
      const now = await leader();
      return now.holder !== "" && now.acquireTime !== before.acquireTime;
    });
    await applyPolicies(node, edited("after the leader died"));
    await expectNoHarm(`controller leader killed, a new one after ${seconds} s`);
  });

  it(
    "R03 no controller runs, policies are edited, and an authz-server restarts meanwhile",
    async () => {
      await applyPolicies(node, edited("before"));
      await steady();
      await node.scale(SYSTEM, "gatehouse-controller", 0);
      await node.apply(edited("meanwhile"));
      const [victim] = await authzServers();
      if (victim === undefined) throw new Error("no authz-server runs");
      await node.killContainer(victim);
      // It starts from what it had accepted.
      await waitFor("the server is back", () => isBack(victim), 60_000);
      await steady();
      await lastUntil(performance.now(), UNCONTROLLED_SECONDS, async () => expect(await whoPasses()).toBe("before"));
      await node.scale(SYSTEM, "gatehouse-controller", 2);
      const seconds = await secondsUntil("the edit is enforced", async () => (await whoPasses()) === "meanwhile");
      await applyPolicies(node, edited("meanwhile"));
      await expectNoHarm(`no controller, edit enforced ${seconds} s after there were controllers again`);
    },
    outageTimeoutMs(UNCONTROLLED_SECONDS),
  );

  it("the release is upgraded, and rolled back", async () => {
    await steady();
    await installGatehouse(node, {
      controller: { podAnnotations: { example: "upgraded" } },
      authzServer: { podAnnotations: { example: "upgraded" } },
    });
    await node.helm(["rollback", "gatehouse", "-n", SYSTEM, "--wait", "--timeout", "180s"], { timeoutMs: 200_000 });
    await expectNoHarm("helm upgrade and rollback of all pods");
  });

  it("R19 the authz-servers are older than the controllers, and don't know all that is sent", async () => {
    const older = { authzServer: OLDER.authzServer };
    await installGatehouse(node, older);
    await installGatehouse(node, { ...older, ...REQUIRE_EXP });
    // A server of the first version can't know what it is to require `exp`: it refuses that, and goes on with what it has.
    await waitFor("all refuse it", async () => (await refusals()).every((count) => count > 0), 60_000);
    await steady();
    expect(await statusWithoutExp()).toBe(200);
    await node.apply(edited("unknown to older servers"));
    await installGatehouse(node, REQUIRE_EXP);
    await waitFor("the newer servers require it", async () => (await statusWithoutExp()) === 401);
    await installGatehouse(node);
    await waitFor("nobody requires it", async () => (await statusWithoutExp()) === 200);
    await expectNoHarm("authz-servers older than the controllers, then upgraded");
  });

  it("R19 the authz-servers are newer than the controllers, as when they are upgraded first", async () => {
    await installGatehouse(node, OLDER);
    await applyPolicies(node, edited("by older ones"));
    await installGatehouse(node, { controller: OLDER.controller });
    // Helm does not wait for the last of the older ones to be told to end.
    await node.rolledOut(SYSTEM, "gatehouse-authz-server");
    // What an older controller does not say means what it meant then.
    await steady();
    expect(await statusWithoutExp()).toBe(200);
    await applyPolicies(node, edited("by newer servers"));
    expect(await refusals()).toEqual([0, 0, 0]);
    await installGatehouse(node, REQUIRE_EXP);
    await waitFor("the servers require it", async () => (await statusWithoutExp()) === 401);
    expect(await refusals()).toEqual([0, 0, 0]);
    await expectNoHarm("authz-servers newer than the controllers, which are upgraded later");
  });

  it("R28 the certificate authority and all certificates are replaced", async () => {
    const secrets = `/api/v1/namespaces/${SYSTEM}/secrets`;
    const read = async (secret: string, key: string) => {
      const { data = {} } = await node.client.get(`${secrets}/${secret}`);
      return Buffer.from(data[key] ?? "", "base64").toString();
    };
    // As a controller announces the next authority, but due in a minute and not in an hour.
    const next = await issueTestAuthority(Date.now() - BACKDATE_MS - ANNOUNCE_MS + 60_000);
    const trusted = next.certificate + (await read("gatehouse-ca", "ca.crt"));
    const announced = { "next.crt": next.certificate, "next.key": next.privateKey, "ca.crt": trusted };
    await node.client.patch(`${secrets}/gatehouse-ca`, { stringData: announced });
    const signs = async () => (await read("gatehouse-ca", "tls.crt")) === next.certificate;
    const seconds = await secondsUntil("it signs", signs);
    // Certificates of the old one are good until they are renewed, after hours; an empty Secret is filled at once.
    await node.client.patch(`${secrets}/${CLIENT}`, { stringData: { "tls.crt": "", "tls.key": "" } });
    const { subject } = new X509Certificate(next.certificate);
    await waitFor(
      "the authz-servers' certificate is of the new authority",
      async () => {
        const certificate = await read(CLIENT, "tls.crt");
        return certificate !== "" && new X509Certificate(certificate).issuer === subject;
      },
      60_000,
    );
    await node.kubectl(["-n", SYSTEM, "rollout", "restart", "deployment/gatehouse-controller"]);
    await node.rolledOut(SYSTEM, "gatehouse-controller");
    await applyPolicies(node, edited("over the new authority's certificates"));
    await expectNoHarm(`a new authority, in use after ${seconds} s, and new certificates`);
  });
});

/** The first version of each: what came later it does not understand, or can't say (`images/build.sh`). */
const OLDER = {
  controller: { image: { repository: "gatehouse/older-controller" } },
  authzServer: { image: { repository: "gatehouse/older-authz-server" } },
};

/** Something that only the second version of both knows. */
const REQUIRE_EXP = { controller: { extraArgs: ["--require-exp"] } };

/** How the controller plans: what is made now is valid since a while, and an authority signs when it has been known for that long. */
const BACKDATE_MS = 600_000;
const ANNOUNCE_MS = 3600_000;
const CLIENT = "gatehouse-authz-server-tls";

const POLICIES = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules: [{ issuer: ${TEST_ISSUER}, jwksUri: "${JWKS_URI}" }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  rules:
    - when: [{ key: "request.auth.claims[groups]", values: [group1] }]
`;

/** Lets requests to sleep pass whose path names this version. */
function edited(version: string): string {
  return stringify({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "edited", namespace: "foo" },
    spec: {
      selector: { matchLabels: { app: "sleep" } },
      rules: [{ to: [{ operation: { paths: [`/${version.replaceAll(" ", "-")}`] } }] }],
    },
  });
}

/** The version of `edited` that is enforced. */
async function whoPasses(): Promise<string | undefined> {
  for (const version of ["before", "meanwhile"]) {
    if ((await ask({ address: mesh.sleep, path: `/${version}` })).status === 200) return version;
  }
  return undefined;
}

/** Lets the load run for a while before and after a fault, so that it shows what the fault changed. */
async function steady(): Promise<void> {
  const until = performance.now() + STEADY_MS;
  await waitFor("some load has passed", () => performance.now() > until, 2 * STEADY_MS);
}

const STEADY_MS = outageSeconds(2, 60) * 1000;

async function expectNoHarm(what: string): Promise<void> {
  await steady();
  const { sent, wrong, failed, examples, ...times } = await load.stop();
  const [p50, p99, max] = [times.p50Ms, times.p99Ms, times.maxMs].map((ms) => `${ms.toFixed(0)} ms`);
  console.info(`${what}: ${sent} requests, ${wrong} wrong, ${failed} failed; p50 ${p50}, p99 ${p99}, slowest ${max}`);
  expect({ wrong, failed, examples }).toEqual({ wrong: 0, failed: 0, examples: [] });
}

/** What a token gets that never ends. */
async function statusWithoutExp(): Promise<number> {
  const token = await mintToken({ iss: TEST_ISSUER, sub: TEST_ISSUER, groups: ["group1"] });
  return (await ask({ address: mesh.httpbin, token })).status;
}

/** How often each server refused what a controller sent; of those that are to stay. */
async function refusals(): Promise<readonly number[]> {
  const pages = (await authzServers()).map(({ address }) => `http://${address}:9090/metrics`);
  return await Promise.all(pages.map((page) => readMetric(page, "gatehouse_authz_nacks_total")));
}

async function secondsUntil(what: string, probe: () => Promise<boolean>): Promise<string> {
  const startedMs = performance.now();
  await waitFor(what, probe, 150_000);
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function authzServers(): Promise<readonly RunningPod[]> {
  return node.pods(SYSTEM, "app.kubernetes.io/component=authz-server");
}

function controllers(): Promise<readonly RunningPod[]> {
  return node.pods(SYSTEM, "app.kubernetes.io/component=controller");
}

async function isBack(victim: RunningPod): Promise<boolean> {
  const pod = (await authzServers()).find(({ name }) => name === victim.name);
  return pod?.isReady === true && pod.restarts > victim.restarts;
}

async function leader(): Promise<{ readonly holder: string; readonly acquireTime: string }> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/gatehouse-controller`;
  const { spec = {} } = await node.client.get(path);
  return { holder: String(spec["holderIdentity"] ?? ""), acquireTime: String(spec["acquireTime"] ?? "") };
}
