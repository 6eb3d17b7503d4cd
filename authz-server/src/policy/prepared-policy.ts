import type {
  AuthorizationPolicy,
  Gateway,
  MeshConfig,
  PolicyRef,
  PolicyResource,
  PolicyTarget,
  RequestAuthentication,
  Rule,
} from "@gatehouse/protos";
import { type PreparedVirtualService, prepareVirtualService } from "../routing/prepared-route.ts";
import {
  compileRules,
  composeRule,
  needsRawHeaders,
  type PreparedCondition,
  type PreparedRule,
  type RuleParts,
} from "./rule-matcher.ts";

/** What of a resource belongs to its namespace, compiled as far as it can be without its neighbours. */
export type PreparedPolicy =
  | RequestAuthentication
  | PreparedAuthorizationPolicy
  | PreparedVirtualServicePolicy
  | Gateway;

export interface PreparedAuthorizationPolicy {
  readonly kind: "AuthorizationPolicy";
  /** Of its first rule. */
  readonly order: number;
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
 * @param order of its first rule
 * @returns undefined for resources that belong to no namespace
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function preparePolicy(resource: PolicyResource, mesh: MeshConfig, order = 0): PreparedPolicy | undefined {
  switch (resource.kind) {
    case "RequestAuthentication":
    case "Gateway":
      return resource;
    case "AuthorizationPolicy":
      return prepareAuthorizationPolicy(resource, mesh, order);
    case "VirtualService":
      return { kind: "VirtualService", ...prepareVirtualService(resource) };
    case "KeySet":
    case "MeshConfig":
    case "ExtensionProvider":
      return undefined;
  }
}

function prepareAuthorizationPolicy(
  source: AuthorizationPolicy,
  mesh: MeshConfig,
  order: number,
): PreparedAuthorizationPolicy {
  const common = { kind: source.kind, order, source, target: source.target, dryRun: source.dryRun } as const;
  if (source.meta.unenforceable !== "") {
    return { ...common, action: toDenyAction(source.action), rules: [denyAll(source, order)], needsRawHeaders: false };
  }
  const rules = compileRules(source, mesh, order);
  return {
    ...common,
    source: { ...source, rules: rules.map(toSource) },
    action: source.action,
    rules,
    needsRawHeaders: needsRawHeaders(source),
  };
}

/** The rule as the resource has it; equal conditions of several rules are one. */
function toSource({ index, parts: { from, to, when } }: PreparedRule): Rule {
  const plain = (conditions: readonly PreparedCondition[]) => conditions.map(({ condition }) => condition);
  return { index, from: from.map(plain), to: to.map(plain), when: plain(when) };
}

// AUDIT decides nothing, so a broken one takes nothing away; everything else that we cannot enforce denies in its scope.
function toDenyAction(action: AuthorizationPolicy["action"]): AuthorizationPolicy["action"] {
  return action === "AUDIT" ? "AUDIT" : "DENY";
}

function denyAll({ kind, meta }: AuthorizationPolicy, order: number): PreparedRule {
  const ref: PolicyRef = { kind, namespace: meta.namespace, name: meta.name };
  const parts: RuleParts = { from: [], to: [], when: [] };
  return { ref, index: 0, order, matches: composeRule(parts), parts };
}

/** The resource that a prepared policy was made from. */
export function sourceOf(policy: PreparedPolicy): PolicyResource {
  return policy.kind === "AuthorizationPolicy" || policy.kind === "VirtualService" ? policy.source : policy;
}
