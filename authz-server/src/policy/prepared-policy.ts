import type {
  AuthorizationPolicy,
  Gateway,
  MeshConfig,
  PolicyRef,
  PolicyResource,
  PolicyTarget,
  RequestAuthentication,
} from "@gatehouse/protos";
import { type PreparedVirtualService, prepareVirtualService } from "../routing/prepared-route.ts";
import { compileRules, composeRule, needsRawHeaders, type PreparedRule, type RuleParts } from "./rule-matcher.ts";

/** What of a resource belongs to its namespace, compiled as far as it can be without its neighbours. */
export type PreparedPolicy =
  | RequestAuthentication
  | PreparedAuthorizationPolicy
  | PreparedVirtualServicePolicy
  | Gateway;

export interface PreparedAuthorizationPolicy {
  readonly kind: "AuthorizationPolicy";
  readonly source: AuthorizationPolicy;
  readonly target: PolicyTarget;
  readonly action: AuthorizationPolicy["action"];
  readonly dryRun: boolean;
  readonly rules: readonly PreparedRule[];
  readonly needsRawHeaders: boolean;
}

export interface PreparedVirtualServicePolicy extends PreparedVirtualService {
  readonly kind: "VirtualService";
}

/**
 * Compiles one resource. Work that depends on this resource and MeshConfig alone is done here, once per change of it.
 * @returns undefined for resources that belong to no namespace
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function preparePolicy(resource: PolicyResource, mesh: MeshConfig): PreparedPolicy | undefined {
  switch (resource.kind) {
    case "RequestAuthentication":
    case "Gateway":
      return resource;
    case "AuthorizationPolicy":
      return prepareAuthorizationPolicy(resource, mesh);
    case "VirtualService":
      return { kind: "VirtualService", ...prepareVirtualService(resource) };
    case "KeySet":
    case "MeshConfig":
    case "ExtensionProvider":
      return undefined;
  }
}

function prepareAuthorizationPolicy(source: AuthorizationPolicy, mesh: MeshConfig): PreparedAuthorizationPolicy {
  const common = { kind: source.kind, source, target: source.target, dryRun: source.dryRun } as const;
  if (source.meta.unenforceable !== "") {
    return { ...common, action: toDenyAction(source.action), rules: [denyAll(source)], needsRawHeaders: false };
  }
  return {
    ...common,
    action: source.action,
    rules: compileRules(source, mesh),
    needsRawHeaders: needsRawHeaders(source),
  };
}

// AUDIT decides nothing, so a broken one takes nothing away; everything else that we cannot enforce denies in its scope.
function toDenyAction(action: AuthorizationPolicy["action"]): AuthorizationPolicy["action"] {
  return action === "AUDIT" ? "AUDIT" : "DENY";
}

function denyAll({ kind, meta }: AuthorizationPolicy): PreparedRule {
  const ref: PolicyRef = { kind, namespace: meta.namespace, name: meta.name };
  const parts: RuleParts = { from: [], to: [], when: [] };
  return { ref, index: 0, matches: composeRule(parts), parts };
}

/** The resource that a prepared policy was made from. */
export function sourceOf(policy: PreparedPolicy): PolicyResource {
  return policy.kind === "AuthorizationPolicy" || policy.kind === "VirtualService" ? policy.source : policy;
}
