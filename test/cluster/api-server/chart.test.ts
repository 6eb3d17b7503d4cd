import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../support/api-server.ts";

const CHART = fileURLToPath(new URL("../../../deploy/helm/gatehouse", import.meta.url));
const NAMESPACE = "tenant-system";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ crds: false });
}, 60_000);
afterAll(() => server.stop());

it("is installed where somebody else's CRD is, and leaves that alone", async () => {
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const names = { kind: "Gateway", listKind: "GatewayList", plural: "gateways", singular: "gateway" };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await server.client.create(crds, {
    metadata: { name: "gateways.networking.istio.io", labels: { owner: "istio" } },
    spec: {
      group: "networking.istio.io",
      scope: "Namespaced",
      names,
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
  await helm("install", "gatehouse", CHART, "--create-namespace");

  expect(await versionsOf("gateways.networking.istio.io")).toBe("v1");
  expect(await versionsOf("authorizationpolicies.security.istio.io")).toBe("v1 v1beta1");
});

it.each(["gatehouse-controller", "gatehouse-authz-server"])(
  "has pods of %s that Pod Security restricted admits",
  async (name) => {
    const label = { "pod-security.kubernetes.io/enforce": "restricted" };
    await server.client.patch(`/api/v1/namespaces/${NAMESPACE}`, { metadata: { labels: label } });
    const template = ["get", `deployment/${name}`, "-n", NAMESPACE, "-o", "jsonpath={.spec.template}"];
    const { metadata, spec }: PodTemplate = JSON.parse(await server.kubectl(template));
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;
    expect((await server.client.create(pods, { metadata: { ...metadata, name }, spec })).kind).toBe("Pod");

    const root = { ...spec, securityContext: { ...spec.securityContext, runAsNonRoot: false, runAsUser: 0 } };
    await expect(server.client.create(pods, { metadata: { ...metadata, name }, spec: root })).rejects.toThrow(
      /restricted/,
    );
  },
);

it("leaves in the Secrets, at an upgrade and a rollback, what the controller wrote there", async () => {
  for (const name of ["gatehouse-ca", "gatehouse-authz-server-tls"]) {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/${name}`;
    const empty = await server.client.get(path);
    expect(empty.data).toBeUndefined();
    await server.client.replace(path, { ...empty, data: { "tls.crt": "QQ==" } });
  }
  await helm("upgrade", "gatehouse", CHART, "--set", "settings.strictPaths=true,controller.podLabels.a=b");
  await helm("rollback", "gatehouse", "1");
  for (const name of ["gatehouse-ca", "gatehouse-authz-server-tls"]) {
    const secret = await server.client.get(`/api/v1/namespaces/${NAMESPACE}/secrets/${name}`);
    expect(secret.data).toEqual({ "tls.crt": "QQ==" });
  }
});

it("takes with it, at an uninstall, all but CRDs and policies", async () => {
  const policies = `/apis/security.istio.io/v1/namespaces/${NAMESPACE}/authorizationpolicies`;
  const type = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy" };
  await server.client.create(policies, { ...type, metadata: { name: "mine" }, spec: {} });
  await helm("uninstall", "gatehouse");
  expect((await server.client.get(`${policies}/mine`)).kind).toBe("AuthorizationPolicy");

  const kinds = ["clusterroles,clusterrolebindings", "validatingadmissionpolicies,validatingadmissionpolicybindings"];
  const inNamespace = "deployments,services,serviceaccounts,secrets,configmaps,roles,rolebindings,pdb,netpol";
  const left = await server.kubectl(["get", [...kinds, inNamespace].join(), "-A", "-o", "name"]);
  expect(left.split("\n").filter((line) => line.includes("gatehouse"))).toEqual([]);
});

interface PodTemplate {
  readonly metadata: object;
  readonly spec: { readonly securityContext: object };
}

function versionsOf(crd: string): Promise<string> {
  return server.kubectl(["get", `crd/${crd}`, "-o", "jsonpath={.spec.versions[*].name}"]);
}

function helm(...args: readonly string[]): Promise<string> {
  return server.helm([...args, "--namespace", NAMESPACE]);
}
