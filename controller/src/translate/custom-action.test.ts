import type { AuthorizationPolicy } from "@gatehouse/protos";
import { describe, expect, test } from "vitest";
import { parseObject } from "../resources/parse-object.ts";
import { translateObject } from "./index.ts";
import type { Translated } from "./report.ts";

const CONTEXT = { dnsSuffix: "svc.cluster.local", hash: (text: string) => text.padStart(64, "0") };

function translate(spec: object, annotations: Readonly<Record<string, string>> = {}): Translated {
  const parsed = parseObject({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "custom", namespace: "foo", annotations },
    spec,
  });
  if (parsed.kind !== "valid") throw new Error(`not valid: ${JSON.stringify(parsed)}`);
  return translateObject(parsed.object, CONTEXT);
}

function policyOf({ resources }: Translated): AuthorizationPolicy {
  const policy = resources.find((resource) => resource.kind === "AuthorizationPolicy");
  if (policy === undefined) throw new Error("no policy");
  return policy;
}

const CUSTOM = { action: "CUSTOM", provider: { name: "p" } };

describe("a CUSTOM policy", () => {
  test.each([
    "principals",
    "notPrincipals",
    "requestPrincipals",
    "notRequestPrincipals",
    "namespaces",
    "notNamespaces",
    "serviceAccounts",
    "notServiceAccounts",
    "trustDomains",
    "notTrustDomains",
  ])("may not use source.%s: it is reported, and the provider is asked without that condition", (field) => {
    const rules = [{ from: [{ source: { [field]: ["a"] } }], to: [{ operation: { paths: ["/x"] } }] }];
    const translated = translate({ ...CUSTOM, rules });
    const name = field.charAt(0).toUpperCase() + field.slice(1);
    expect(JSON.stringify(translated.report)).toContain(`From.${name} is currently not supported with CUSTOM action`);
    const [rule] = policyOf(translated).rules;
    expect(rule?.from.flat()).toEqual([]);
    expect(rule?.to).toHaveLength(1);
  });

  test.each([
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
    "source.principal",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims[a]",
  ])("may not use the key %s: it is reported, and the provider is asked without that condition", (key) => {
    for (const side of ["values", "notValues"]) {
      const translated = translate({ ...CUSTOM, rules: [{ when: [{ key, [side]: ["a"] }] }] });
      expect(JSON.stringify(translated.report)).toContain(`${key} is currently not supported with CUSTOM action`);
      expect(policyOf(translated).rules).toMatchObject([{ from: [], to: [], when: [] }]);
    }
  });

  test("may use what is known before tokens are read", () => {
    const { report } = translate({
      ...CUSTOM,
      rules: [
        {
          from: [{ source: { ipBlocks: ["10.0.0.0/8"], notRemoteIpBlocks: ["10.0.0.1"] } }],
          to: [{ operation: { hosts: ["a"], notPaths: ["/b"], methods: ["GET"], ports: ["80"] } }],
          when: [{ key: "request.headers[x]", values: ["1"] }],
        },
      ],
    });
    expect(JSON.stringify(report)).not.toContain("not supported");
  });

  test.each([
    ["without a provider's name", { action: "CUSTOM", rules: [{}] }, "`provider.name` must not be empty"],
    ["without rules", CUSTOM, "CUSTOM action without `rules` is meaningless"],
    [
      "named in another action",
      { action: "DENY", provider: { name: "p" }, rules: [{}] },
      "`provider` must not be with non CUSTOM action, found DENY",
    ],
  ])("%s is reported", (_name, spec, message) => {
    expect(JSON.stringify(translate(spec).report)).toContain(message);
  });

  test("can't be in dry-run: it is reported, and the provider is asked", () => {
    const translated = translate({ ...CUSTOM, rules: [{}] }, { "istio.io/dry-run": "true" });
    expect(JSON.stringify(translated.report)).toContain("found action CUSTOM");
    expect(policyOf(translated)).toMatchObject({ dryRun: false, action: "CUSTOM" });
  });
});
