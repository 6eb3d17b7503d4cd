import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { CaseObject } from "../../conformance/case.ts";
import { translateCase, translateCaseObject } from "../../conformance/in-process.ts";
import { loadCases } from "../../conformance/load-cases.ts";
import { loadRows, loadVerdicts, rowFiles } from "../../semantics/load-rows.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, applyCrds, startApiServer } from "../support/api-server.ts";
import { KubernetesAnswer } from "../support/kubernetes-client.ts";

const HELM_CHART = fileURLToPath(new URL("../../../deploy/helm/gatehouse", import.meta.url));
const CRDS = new URL("../../../crds/", import.meta.url);
const ISTIO_SHAPED_CRD = fileURLToPath(new URL("testdata/istio-shaped-crd.yaml", import.meta.url));
const FIXTURES = new URL("../../crds/", import.meta.url);

/** What only a file can hold: an API server never sees two keys of one name, and leaves out what is null. */
const ONLY_IN_FILES = ["duplicate-key.yaml", "null-spec.yaml", "proto-key.yaml"];

/** Of what validation refuses, what CEL can't find out, or not at a bounded cost. The status of the object tells. */
const LEFT_TO_THE_STATUS = [
  "wants a JWK set in jwks",
  "wants a regular expression of RE2",
  "wants hosts that do not cover each other",
];

/** What the CRDs refuse by themselves, where what is missing or beside it can be seen from one place. The rest needs the policies. */
const REFUSED_BY_THE_CRDS = [
  "knows no other kinds in targetRef",
  "knows providers of CUSTOM only",
  "refuses DENY without rules",
  "wants a provider in CUSTOM",
  "wants a source and an operation",
  "wants a value or a notValue for a key",
  "wants an issuer or a jwksUri, whatever the jwks",
  "wants entries in from and to",
  "wants rules in CUSTOM",
];

/** Nulls in a map are left out by the API server before anything looks at them. */
const NEVER_SEEN = [
  "wants a value for a header",
  "wants a value in withoutHeaders, as the schema has it, though Istio's webhook would not",
];

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ crds: false });
  await server.client.create("/api/v1/namespaces", { metadata: { name: "foo" } });
}, 120_000);
afterAll(() => server.stop());

describe("the CRDs alone", () => {
  beforeAll(() => applyCrds(server), 60_000);

  it.each(filesIn("valid"))("accept %s", async (file) => {
    expect(await applyFixture("valid", file)).toContain("(server dry run)");
  });

  it.each(filesIn("invalid").filter((file) => !ONLY_IN_FILES.includes(file)))("refuse %s", async (file) => {
    await expect(applyFixture("invalid", file)).rejects.toThrow(/ended with code 1/);
  });

  it("accept what translation accepts", async () => {
    expect(await refusalsOf(acceptedObjects())).toEqual([]);
  });

  it("refuse what can be seen from one place", async () => {
    const verdicts = (await loadVerdicts()).filter(({ verdict }) => REFUSED_BY_THE_CRDS.includes(verdict.says));
    const refused: string[] = [];
    for (const { verdict, object } of verdicts) if ((await refusalOf(object)) !== "") refused.push(verdict.says);
    expect(refused.toSorted()).toEqual(REFUSED_BY_THE_CRDS);
  });

  it("show in kubectl get whether an object is accepted and enforced", async () => {
    await server.client.create(pathOf(policy("seen", {})), policy("seen", {}));
    const conditions = [
      { type: "Accepted", status: "True", reason: "Accepted", message: "", observedGeneration: 1 },
      { type: "Programmed", status: "False", reason: "Pending", message: "1/2 servers", observedGeneration: 1 },
    ].map((condition) => ({ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }));
    await server.client.patch(`${pathOf(policy("seen", {}))}/seen/status`, { status: { conditions } });
    const [header = "", line = ""] = (await server.kubectl(["get", "authorizationpolicies", "-n", "foo"])).split("\n");
    expect(header.split(/\s+/)).toEqual(["NAME", "ACTION", "ACCEPTED", "PROGRAMMED", "AGE"]);
    expect(line).toMatch(/^seen\s+True\s+False\s/);
  });
});

describe("the ValidatingAdmissionPolicies, whoever installed the CRDs", () => {
  beforeAll(async () => {
    await server.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: crdsWithoutRules() });
    await server.apply(await admissionPolicies());
    for (const object of [policy("a", { action: "DENY" }), request("a", { jwtRules: [{}] }), route("a", {})]) {
      await waitFor(`the policies act on a ${object.kind}`, async () => (await refusalOf(object)) !== "", 30_000);
    }
  }, 120_000);

  it("accept what translation accepts", async () => {
    expect(await refusalsOf(acceptedObjects())).toEqual([]);
  });

  it("accept every object of the recorded cases that Istio takes", async () => {
    const accepted = loadCases().flatMap((scenario) =>
      translateCase(scenario).every(({ report }) => report.accepted) ? scenario.resources.map(inFoo) : [],
    );
    expect(accepted.length).toBeGreaterThan(100);
    expect(await refusalsOf(accepted)).toEqual([]);
  });

  it("refuse what validation refuses", async () => {
    const verdicts = (await loadVerdicts()).filter(({ verdict }) => (verdict.refused ?? []).length > 0);
    expect(verdicts.length).toBeGreaterThan(40);
    const missed: string[] = [];
    for (const { verdict, object } of verdicts) if ((await refusalOf(object)) === "") missed.push(verdict.says);
    expect(missed.toSorted()).toEqual([...LEFT_TO_THE_STATUS, ...NEVER_SEEN].toSorted());
  });

  it("say which field, and what it must be", async () => {
    const bad = policy("a", { rules: [{ to: [{ operation: { ports: ["http"] } }] }] });
    expect(await refusalOf(bad)).toContain("spec.rules[].to[].operation.ports: must be 0 to 65535");
  });

  it("let pass an object too large for their cost limit, and leave it to the status", async () => {
    const paths = [...Array.from({ length: 20_000 }, (_, i) => `/a/{*}/${i}/{**}`), "/{x}"];
    expect(await refusalOf(policy("large", { rules: [{ to: [{ operation: { paths } }] }] }))).toBe("");
  });

  it("leave an object alone that was there before them, as long as its spec stays", async () => {
    const bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    const name = "gatehouse-authorization-policies";
    const binding = await server.client.get(`${bindings}/${name}`);
    await server.client.delete(`${bindings}/${name}`);
    const old = policy("old", { action: "DENY" });
    await waitFor("the policy is off", async () => (await refusalOf(old)) === "", 30_000);
    await server.client.create(pathOf(old), old);
    await server.client.create(bindings, { metadata: { name }, spec: binding.spec });
    await waitFor("the policy is on", async () => (await refusalOf(policy("new", old.spec))) !== "", 30_000);

    const change = (patch: unknown) => server.client.patch(`${pathOf(old)}/old`, patch);
    expect((await change({ metadata: { labels: { team: "a" } } })).metadata.labels).toEqual({ team: "a" });
    await expect(change({ spec: { selector: { matchLabels: { app: "a" } } } })).rejects.toThrow(/spec\.rules/);
  });
});

describe("a CRD in the shape of Istio's own", () => {
  let controller: RunningController;
  let authzServer: RunningAuthzServer;

  beforeAll(async () => {
    await applyCrds(server);
    await server.kubectl(["delete", "crd", "authorizationpolicies.security.istio.io"]);
    await server.kubectl(["apply", "--server-side", "-f", ISTIO_SHAPED_CRD]);
    await server.kubectl(["wait", "--for=condition=Established", "crd/authorizationpolicies.security.istio.io"]);
    await server.apply(await admissionPolicies());
    await waitFor("the policies act", async () => (await refusalOf(policy("a", { action: "DENY" }))) !== "", 30_000);
    const log = pino({ level: "silent" });
    controller = await startController({
      source: { kind: "kubernetes", status: { leaseName: "gatehouse-controller" } },
      kubernetes: { kubeconfig: server.kubeconfig, namespace: "default", podName: "test" },
      xdsAddress: "127.0.0.1:0",
      log,
      registry: new Registry(),
    });
    authzServer = await startAuthzServer({
      controller: controller.xdsAddress,
      listeners: [{ address: "127.0.0.1:0", identity: null }],
      drain: { waitMs: 0, deadlineMs: 500 },
      log,
      registry: new Registry(),
    });
  }, 120_000);
  afterAll(async () => {
    await authzServer?.stop();
    await controller?.stop();
  });

  it("gets from our ValidatingAdmissionPolicy the rules that it lacks", async () => {
    const verdicts = (await loadVerdicts()).filter(
      ({ verdict, object }) => (verdict.refused ?? []).length > 0 && isKnownToIstioShapedCrd(object),
    );
    expect(verdicts.length).toBeGreaterThan(20);
    const others: string[] = [];
    for (const { verdict, object } of verdicts) {
      const refusal = await refusalOf(object);
      if (!refusal.includes("ValidatingAdmissionPolicy")) others.push(`${verdict.says}: ${refusal}`);
    }
    // Of nulls in lists its types say enough.
    const tellsOfNull = expect.stringMatching(/null/);
    expect(others).toEqual([tellsOfNull, tellsOfNull]);
    const bad = policy("a", { rules: [{ to: [{ operation: { ports: ["http"] } }] }] });
    expect(await refusalOf(bad)).toContain("spec.rules[].to[].operation.ports: must be 0 to 65535");
    expect(await refusalOf({ ...bad, apiVersion: "security.istio.io/v1beta1" })).toContain("must be 0 to 65535");
  });

  it("takes what translation accepts, as far as it has the fields", async () => {
    const accepted = acceptedObjects().filter(isKnownToIstioShapedCrd);
    expect(accepted.length).toBeGreaterThan(50);
    expect(await refusalsOf(accepted)).toEqual([]);
  });

  it.each(["v1", "v1beta1"])("has in its status what Gatehouse writes, of an object applied as %s", async (version) => {
    const object = {
      ...policy(`as-${version}`, { action: "DENY", rules: [{}] }),
      apiVersion: `security.istio.io/${version}`,
    };
    const wait = [
      "wait",
      "-n",
      "foo",
      "--for=condition=Programmed",
      `authorizationpolicy/as-${version}`,
      "--timeout=30s",
    ];
    await server.apply(JSON.stringify(object));
    await server.kubectl(wait);
    await server.apply(
      JSON.stringify({ ...object, spec: { action: "DENY", rules: [{ to: [{ operation: { paths: ["/a"] } }] }] } }),
    );
    await server.kubectl(wait);
    const { status } = await server.client.get(`${pathOf(object)}/as-${version}`);
    expect(status).toMatchObject({
      observedGeneration: 2,
      conditions: [
        { type: "Accepted", status: "True", observedGeneration: 2 },
        { type: "Programmed", status: "True", message: "1/1 servers enforce generation 2", observedGeneration: 2 },
      ],
    });
  });
});

function isKnownToIstioShapedCrd({ kind, spec }: CaseObject): boolean {
  return kind === "AuthorizationPolicy" && !/targetRef|erviceAccounts|rustDomains/.test(JSON.stringify(spec));
}

/** Everything that the semantics rows hold and that translation accepts. */
function acceptedObjects(): readonly CaseObject[] {
  return objects.filter((object) => translateCaseObject(object).every(({ report }) => report.accepted));
}

const objects: readonly CaseObject[] = [
  ...(await loadVerdicts()).map(({ object }) => object),
  ...(await Promise.all(rowFiles().map(loadRows))).flat().flatMap(({ scenario }) => scenario.resources),
].map(inFoo);

/** The same object in the one namespace that there is. */
function inFoo(object: CaseObject): CaseObject {
  return { ...object, metadata: { ...object.metadata, namespace: "foo" } };
}

async function refusalsOf(all: readonly CaseObject[]): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (const object of all) {
    const refusal = await refusalOf(object);
    if (refusal !== "") refusals.push(`${JSON.stringify(object.spec)}: ${refusal}`);
  }
  return refusals;
}

/** Why the API server does not take an object; empty when it does. As `kubectl apply --dry-run=server` asks. */
async function refusalOf(object: CaseObject): Promise<string> {
  try {
    await server.client.create(`${pathOf(object)}?dryRun=All&fieldValidation=Strict`, object);
    return "";
  } catch (error) {
    if (error instanceof KubernetesAnswer) return error.message;
    throw error;
  }
}

function pathOf({ apiVersion, kind, metadata }: CaseObject): string {
  const plural = `${kind.toLowerCase().replace(/policy$/, "policie")}s`;
  return `/apis/${apiVersion}/namespaces/${metadata.namespace}/${plural}`;
}

function policy(name: string, spec: CaseObject["spec"]): CaseObject {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "foo" },
    spec,
  };
}

function request(name: string, spec: CaseObject["spec"]): CaseObject {
  return { ...policy(name, spec), kind: "RequestAuthentication" };
}

function route(name: string, spec: CaseObject["spec"]): CaseObject {
  return { ...policy(name, spec), apiVersion: "networking.istio.io/v1", kind: "VirtualService" };
}

function applyFixture(directory: string, file: string): Promise<string> {
  const path = fileURLToPath(new URL(`${directory}/${file}`, FIXTURES));
  return server.kubectl(["apply", "--dry-run=server", "--validate=strict", "--namespace=foo", "--filename", path]);
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(new URL(`${directory}/`, FIXTURES)).toSorted();
}

/** As the chart has them. */
function admissionPolicies(): Promise<string> {
  const render = ["template", "gatehouse", HELM_CHART, "--kube-version", "1.36.0"];
  return server.helm([...render, "--show-only", "templates/admission-policies.yaml"]);
}

/** The CRDs with types only, as an older Istio would have left them. */
function crdsWithoutRules(): string {
  const dropped = ["x-kubernetes-validations", "minLength", "maxLength", "pattern", "maxItems", "minItems"];
  const texts = readdirSync(CRDS).map((file) => readFileSync(new URL(file, CRDS), "utf8"));
  return texts
    .map((text) => parse(text, { merge: true, maxAliasCount: -1 }))
    .map((document) => JSON.stringify(document, (key, value) => (dropped.includes(key) ? undefined : value)))
    .join("\n---\n");
}
