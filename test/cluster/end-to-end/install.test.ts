import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { applyCrds } from "../support/api-server.ts";
import { installGatehouse, SYSTEM, uninstallGatehouse } from "../support/gatehouse-release.ts";
import { type ClusterNode, startNode } from "../support/node.ts";
import { applyPolicies, deletePolicies, KINDS } from "../support/policies.ts";
import { SAMPLE_NAMESPACES, startSampleMesh } from "../support/sample-mesh.ts";

const POLICY = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny-all, namespace: foo }
spec: { selector: { matchLabels: { app: nothing } } }
`;

let node: ClusterNode;

beforeAll(async () => {
  node = await startNode();
  await installGatehouse(node);
  await startSampleMesh(node);
  await deletePolicies(node);
}, 900_000);

it("runs two controllers and three authz-servers, all ready, none restarted", async () => {
  const pods = await node.pods(SYSTEM);
  expect(pods.map(({ name }) => name.replace(/-[^-]+-[^-]+$/, ""))).toEqual([
    ...["gatehouse-authz-server", "gatehouse-authz-server", "gatehouse-authz-server"],
    ...["gatehouse-controller", "gatehouse-controller"],
  ]);
  expect(pods.filter(({ isReady, restarts }) => !isReady || restarts > 0)).toEqual([]);
});

it("passes Pod Security restricted with every pod", async () => {
  for (const namespace of [SYSTEM, ...SAMPLE_NAMESPACES]) {
    const { metadata } = await node.client.get(`/api/v1/namespaces/${namespace}`);
    expect(metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    // Asking for it again makes the API server look at the pods that are there, and warn of those that would not pass.
    const question = [
      "label",
      "namespace",
      namespace,
      "pod-security.kubernetes.io/enforce-version=latest",
      "--overwrite",
    ];
    expect(await node.kubectl([...question, "--dry-run=server"])).not.toContain("violate");
  }
});

it.each(["gatehouse-controller", "gatehouse-authz-server"])(
  "allows the service account %s what its list says",
  async (name) => {
    const lists: string[] = [];
    for (const namespace of [SYSTEM, "foo"]) {
      const as = `--as=system:serviceaccount:${SYSTEM}:${name}`;
      const table = await node.kubectl(["auth", "can-i", "--list", "-n", namespace, as]);
      lists.push(`# namespace ${namespace}\n${sortedLines(table)}`);
    }
    const golden = new URL(`testdata/can-i-${name}.txt`, import.meta.url);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, lists.join("\n"));
    expect(lists.join("\n")).toBe(readFileSync(golden, "utf8"));
  },
);

it("runs authz-servers without a token of the API server", async () => {
  const { items = [] } = await node.client.get(
    `/api/v1/namespaces/${SYSTEM}/pods?labelSelector=app.kubernetes.io%2Fcomponent%3Dauthz-server`,
  );
  expect(items.map(({ spec }) => spec?.["automountServiceAccountToken"])).toEqual([false, false, false]);
});

it("leaves CRDs and policies, and nothing else, when it is uninstalled", async () => {
  await applyPolicies(node, POLICY);
  await uninstallGatehouse(node);
  const kinds = (await node.kubectl(["api-resources", "--verbs=list", "-o", "name"])).trim().split("\n");
  const selector = ["-l", "app.kubernetes.io/name=gatehouse", "--all-namespaces", "-o", "name"];
  const left = async () =>
    (await node.kubectl(["get", kinds.filter((kind) => !kind.startsWith("events")).join(","), ...selector])).trim();
  // Pods and what belongs to them end after helm has finished.
  await waitFor("all objects of the chart are gone", async () => (await left()) === "", 60_000);
  const own = ["get", "configmaps,secrets,leases,serviceaccounts", "-n", SYSTEM, "-o", "name"];
  expect((await node.kubectl(own)).trim().split("\n").sort()).toEqual([
    "configmap/kube-root-ca.crt",
    // Made at run time, by the controllers; whoever leads next takes them over.
    "lease.coordination.k8s.io/gatehouse-controller",
    "lease.coordination.k8s.io/gatehouse-controller-fleet",
    "serviceaccount/default",
  ]);
  expect(await node.kubectl(["get", KINDS, "-n", "foo", "-o", "name"])).toContain("deny-all");
});

it("can be installed where others have installed the CRDs", async () => {
  await applyCrds(node);
  await installGatehouse(node);
  await applyPolicies(node, POLICY);
});

function sortedLines(table: string): string {
  const [head = "", ...lines] = table
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd().replace(/ {2,}/g, "  "));
  return `${[head, ...lines.sort()].join("\n")}\n`;
}
