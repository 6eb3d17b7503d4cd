import type { ResourceKind } from "../resources/gen/schemas.ts";

/** How the API server calls the objects of each kind in paths. */
export const RESOURCE_PLURALS: Readonly<Record<ResourceKind, string>> = {
  AuthorizationPolicy: "authorizationpolicies",
  Gateway: "gateways",
  RequestAuthentication: "requestauthentications",
  VirtualService: "virtualservices",
};

/** Every kind. */
export const RESOURCE_KINDS: readonly ResourceKind[] = [
  "AuthorizationPolicy",
  "Gateway",
  "RequestAuthentication",
  "VirtualService",
];

/** The parts of a key. */
export function splitKey(
  key: string,
): { readonly kind: ResourceKind; readonly namespace: string; readonly name: string } | null {
  const [kindText = "", namespace = "", ...rest] = key.split("/");
  const kind = RESOURCE_KINDS.find((candidate) => candidate === kindText);
  return kind === undefined || rest.length === 0 ? null : { kind, namespace, name: rest.join("/") };
}
