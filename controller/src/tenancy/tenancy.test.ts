import { keySetResourceName, type PolicyResource } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { encodeResources } from "../discovery/encode-resource.ts";
import { parseManifests } from "../resources/manifest.ts";
import { type ObjectKey, objectKey } from "../resources/object.ts";
import type { StoredResource } from "../resources/store.ts";
import { type Translated, translateObject } from "../translate/index.ts";
import { sha256 } from "../translate-stored.ts";
import { Tenancy, wireBytes } from "./tenancy.ts";

const LIMITS = { namespaceBytes: 8_000, totalBytes: 100_000 };

/** Objects in a tenancy of their own. @returns what becomes of each, by name, and of namespaces */
function settled(yaml: string, limits = LIMITS, keySetBytes = 0) {
  const tenancy = new Tenancy({ hostOwnership: "first-namespace", limits, hash: sha256 });
  const entries = parseManifests(yaml, "test.yaml").resources.map((parsed) => {
    const [key, translated] = translatedResource(parsed);
    const { resources } = encodeResources(translated.resources);
    const bytes = resources.reduce((sum, resource) => sum + wireBytes(resource.name, resource.bytes.length), 0);
    tenancy.set(key, translated, bytes);
    return [key, translated] as const;
  });
  const sources = entries.flatMap(([, { keySources }]) => keySources);
  for (const { keySet } of sources) tenancy.setKeySet(keySetResourceName(keySet), keySetBytes);
  const { seals } = tenancy.settle();
  const results = new Map<string, Translated>();
  for (const [key, translated] of entries) {
    results.set(translated.report.ref.name, tenancy.apply(key, translated));
  }
  return { results, seals };
}

function translatedResource(parsed: StoredResource): readonly [ObjectKey, Translated] {
  if (parsed.kind !== "valid") throw new Error(JSON.stringify(parsed.object.errors));
  const context = { dnsSuffix: "svc.cluster.local", hash: sha256 };
  return [objectKey(parsed.object), translateObject(parsed.object, context)];
}

function translatedOf(yaml: string): readonly [ObjectKey, Translated] {
  const [parsed] = parseManifests(yaml, "test.yaml").resources;
  if (parsed === undefined) throw new Error("no object");
  return translatedResource(parsed);
}

function object(kind: string, name: string, created: string, spec: object): string {
  const group = kind === "VirtualService" || kind === "Gateway" ? "networking" : "security";
  return `
apiVersion: ${group}.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: foo, creationTimestamp: "2026-01-${created}T00:00:00Z"}
spec: ${JSON.stringify(spec)}
---`;
}

const LONG = `/${"x".repeat(5_000)}`;
const policy = (name: string, created: string, path = LONG) =>
  object("AuthorizationPolicy", name, created, {
    selector: { matchLabels: { app: "a" } },
    rules: [{ to: [{ operation: { paths: [path] } }] }],
  });

describe("an object that there is no room for", () => {
  it.each<readonly [string, object, Partial<Record<string, unknown>>]>([
    [
      "AuthorizationPolicy",
      { selector: { matchLabels: { app: "b" } }, rules: [{ to: [{ operation: { paths: [LONG] } }] }] },
      { target: { kind: "selector", matchLabels: [{ name: "app", value: "b" }] }, rules: [] },
    ],
    [
      "VirtualService",
      {
        hosts: ["a.example.com"],
        gateways: ["gw"],
        http: [{ match: [{ uri: { exact: LONG } }], redirect: { uri: LONG } }],
      },
      { hosts: ["a.example.com"], gateways: ["foo/gw"], http: [], keepsHosts: true },
    ],
  ])("%s denies within its scope, and says why", (kind, spec, form) => {
    const { results, seals } = settled(object(kind, "new", "02", spec) + policy("old", "01"));
    const { resources, report } = results.get("new") ?? { resources: [], report: null };
    expect(report).toMatchObject({
      accepted: false,
      reason: "QuotaExceeded",
    });
    expect(report?.diagnostics.at(-1)?.message).toBe(
      "the policy of namespace foo is larger than 8000 bytes; its newest objects are refused until there are fewer or smaller ones",
    );
    expect(resources).toMatchObject([
      { kind, ...form, meta: { unenforceable: expect.stringContaining("larger than") } },
    ]);
    expect(results.get("old")?.report.reason).toBe("Accepted");
    expect(seals.size).toBe(0);
  });

  it("denies in its whole namespace when its scope is as large", () => {
    const spec = {
      selector: { matchLabels: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`l${i}`, "v"])) },
    };
    const { results } = settled(object("AuthorizationPolicy", "new", "02", spec) + policy("old", "01"));
    expect(results.get("new")?.resources).toMatchObject([{ target: { kind: "namespace" } }]);
  });

  it("may be a short one with very many hosts at very many gateways", () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `h${i}.a`);
    const http = [{ route: [{ destination: { host: "a" } }] }];
    const limits = { namespaceBytes: 16 << 20, totalBytes: 56 << 20 };
    const few = object("VirtualService", "few", "01", {
      hosts: names.slice(0, 50),
      gateways: names.slice(0, 20),
      http,
    });
    const many = object("VirtualService", "many", "02", { hosts: names, gateways: names, http });
    const { results } = settled(few + many, limits);
    expect(results.get("few")?.report.reason).toBe("Accepted");
    expect(results.get("many")?.report.reason).toBe("QuotaExceeded");
  });

  it("takes its fetched keys with it", () => {
    const spec = { jwtRules: [{ issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/keys" }] };
    const yaml = object("RequestAuthentication", "new", "02", spec);
    expect(settled(yaml, LIMITS, 100).results.get("new")?.keySources).toHaveLength(1);
    const refused = settled(yaml, LIMITS, 9_000).results.get("new");
    expect(refused?.keySources).toEqual([]);
    expect(refused?.resources).toMatchObject([{ jwtRules: [{ invalid: expect.stringContaining("larger than") }] }]);
  });

  it("counts a key set once, however many of its rules need it, and gives its room back", () => {
    const rule = { issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/keys" };
    const spec = { jwtRules: [{ ...rule, timeout: "1s" }, { ...rule, timeout: "3s" }, rule] };
    const yaml = object("RequestAuthentication", "ra", "01", spec);
    expect(settled(yaml, LIMITS, 6_000).results.get("ra")?.keySources).toMatchObject([{ timeoutMs: 5000 }]);

    const tenancy = new Tenancy({ hostOwnership: "shared", limits: LIMITS, hash: sha256 });
    const [key, translated] = translatedOf(yaml);
    for (let i = 0; i < 3; i++) {
      tenancy.set(key, translated, 500);
      for (const { keySet } of translated.keySources) tenancy.setKeySet(keySetResourceName(keySet), 6_000);
      tenancy.delete(key);
    }
    const [large, policyTranslated] = translatedOf(policy("large", "02"));
    tenancy.set(large, policyTranslated, 9_000);
    tenancy.settle();
    expect(tenancy.apply(large, policyTranslated).report.reason).toBe("QuotaExceeded");
  });

  it("may be one with many sources of keys that have none", () => {
    const rule = (i: number) => ({
      issuer: `https://idp-${i}.example.com`,
      jwksUri: `https://idp-${i}.example.com/keys`,
    });
    const withSources = (name: string, created: string, count: number) =>
      object("RequestAuthentication", name, created, { jwtRules: Array.from({ length: count }, (_, i) => rule(i)) });
    expect(settled(withSources("few", "01", 3)).results.get("few")?.report.reason).toBe("Accepted");
    expect(settled(withSources("many", "01", 7)).results.get("many")?.report.reason).toBe("QuotaExceeded");
  });

  it("counts the routes of a delegate for each route that leads to it, whichever is known first", () => {
    const match = [{ uri: { prefix: "/a" } }, { uri: { prefix: "/b" } }];
    const owned = { match, route: [{ destination: { host: "web" } }] };
    const delegate = (routes: number) => object("VirtualService", "d", "02", { http: Array(routes).fill(owned) });
    const root = object("VirtualService", "root", "01", {
      hosts: ["a.example.com"],
      gateways: ["gw"],
      http: Array(2).fill({ match: [{ uri: { prefix: "/" } }], delegate: { name: "d" } }),
    });
    const reasonOf = (...yaml: readonly string[]) => settled(yaml.join("")).results.get("root")?.report.reason;
    expect(reasonOf(root, delegate(1))).toBe("Accepted");
    expect(reasonOf(root, delegate(3))).toBe("QuotaExceeded");
    expect(reasonOf(delegate(3), root)).toBe("QuotaExceeded");
    expect(reasonOf(root)).toBe("Accepted");

    const tenancy = new Tenancy({ hostOwnership: "shared", limits: LIMITS, hash: sha256 });
    const verdict = () => tenancy.settle() && tenancy.apply(...translatedOf(root)).report.reason;
    for (const yaml of [root, delegate(3)]) tenancy.set(...translatedOf(yaml), 100);
    expect(verdict()).toBe("QuotaExceeded");
    tenancy.set(...translatedOf(delegate(1)), 100);
    expect(verdict()).toBe("Accepted");
    tenancy.set(...translatedOf(delegate(3)), 100);
    expect(verdict()).toBe("QuotaExceeded");
    tenancy.delete("VirtualService/foo/d");
    expect(verdict()).toBe("Accepted");
  });

  it("denies everything in its namespace if it has too many output headers to be kept from clients", () => {
    const rule = { issuer: "a", outputPayloadToHeader: "x-payload", fromHeaders: [{ name: LONG.slice(1) }] };
    const spec = { jwtRules: [{ ...rule, jwks: '{"keys":[]}' }] };
    const { results, seals } = settled(object("RequestAuthentication", "new", "02", spec) + policy("old", "01"));
    expect(results.get("new")?.resources).toEqual([]);
    expect([...seals.keys()]).toEqual(["foo"]);
  });

  it("is withheld when there are too many of them, and its namespace denies everything", () => {
    const many = Array.from({ length: 10 }, (_, i) => policy(`new${i}`, "02", "/small")).join("");
    const { results, seals } = settled(policy("old", "01", `${LONG}${"y".repeat(2_500)}`) + many);
    expect([...results.values()].filter(({ resources }) => resources.length === 0).length).toBeGreaterThan(0);
    const expected: Partial<PolicyResource> = {
      kind: "AuthorizationPolicy",
      action: "DENY",
      target: { kind: "namespace" },
    };
    expect([...seals]).toMatchObject([["foo", { ...expected, meta: { namespace: "foo" } }]]);
  });
});
