import { parseAllDocuments } from "yaml";
import type { ClusterNode } from "./node.ts";
import { SAMPLE_NAMESPACES } from "./sample-mesh.ts";

/** What `kubectl wait` needs to know of an object. */
interface Named {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/** `kubectl apply`, then `kubectl wait --for=condition=Programmed` for each object: resolves when every server enforces all of it. */
export async function applyPolicies(node: ClusterNode, yaml: string): Promise<void> {
  await node.apply(yaml);
  const objects: readonly Named[] = parseAllDocuments(yaml).map((document) => document.toJS());
  await Promise.all(objects.map((object) => waitUntilProgrammed(node, object)));
}

/** Deletes all policies of the tests. It says nothing about when servers have forgotten them: ask one. */
export async function deletePolicies(node: ClusterNode): Promise<void> {
  const resources = KINDS.split(",").map((kind) => kind.replace(/^(\w+)\.(.*)$/, "$2/v1:$1"));
  for (const namespace of SAMPLE_NAMESPACES) {
    for (const [group, plural] of resources.map((resource) => resource.split(":"))) {
      await node.client.delete(`/apis/${group}/namespaces/${namespace}/${plural}`);
    }
  }
}

/** All kinds that Gatehouse reads, as kubectl takes them. */
export const KINDS = [
  ...["requestauthentications.security.istio.io", "authorizationpolicies.security.istio.io"],
  ...["virtualservices.networking.istio.io", "gateways.networking.istio.io"],
].join(",");

async function waitUntilProgrammed(node: ClusterNode, { kind, metadata }: Named): Promise<void> {
  const object = `${kind.toLowerCase()}/${metadata.name}`;
  await node.kubectl(["-n", metadata.namespace, "wait", "--for=condition=Programmed", object, "--timeout=30s"]);
}
