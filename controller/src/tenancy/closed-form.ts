import type { ObjectMeta, PolicyResource } from "@gatehouse/protos";

/** Texts that say whom an object concerns may take this much of a closed form; longer ones count as the whole namespace, or as none. */
const MAX_SCOPE_LENGTH = 1024;
/** As much as several ordinary JWT rules. */
const MAX_RULES_LENGTH = 4096;

/**
 * The small form of an object that there is no room for. It denies within the object's scope; where that takes too much room itself, in
 * all of the namespace. A VirtualService keeps its hosts, without routes.
 * @returns null where no small form says whom it concerns
 */
export function closedForm(resource: PolicyResource, reason: string): PolicyResource | null {
  switch (resource.kind) {
    case "AuthorizationPolicy":
      return {
        ...resource,
        meta: closed(resource.meta, reason),
        target: small(resource.target),
        provider: "",
        rules: [],
      };
    case "RequestAuthentication": {
      // Rules keep their locations, where tokens are rejected, and their output headers, which clients must not forge.
      const jwtRules = resource.jwtRules.map((rule) => ({ ...rule, invalid: reason }));
      if (!isSmall(jwtRules, MAX_RULES_LENGTH)) return null;
      return { ...resource, meta: closed(resource.meta, reason), target: small(resource.target), jwtRules };
    }
    case "VirtualService": {
      const { hosts, gateways, exportTo } = resource;
      const form = { ...resource, meta: closed(resource.meta, reason), http: [], keepsHosts: true, refusedHosts: [] };
      return isSmall([hosts, gateways, exportTo]) ? form : null;
    }
    case "Gateway": {
      const selector = isSmall(resource.selector) ? resource.selector : [];
      return { ...resource, meta: closed(resource.meta, reason), selector, servers: [] };
    }
    case "KeySet":
    case "ExtensionProvider":
    case "MeshConfig":
      return null;
  }
}

/** Denies everything in a namespace: for objects of which not even the small form found room. */
export function sealedNamespace(namespace: string, reason: string): PolicyResource {
  // No object of the API server can have this name.
  const meta = { namespace, name: "*quota-exceeded*", createdAtMs: 0, minReaderVersion: 1, unenforceable: reason };
  return {
    kind: "AuthorizationPolicy",
    meta,
    target: { kind: "namespace" },
    action: "DENY",
    dryRun: false,
    provider: "",
    rules: [],
  };
}

function closed(meta: ObjectMeta, unenforceable: string): ObjectMeta {
  return { ...meta, minReaderVersion: 1, unenforceable };
}

function small<Target extends object>(target: Target): Target | { readonly kind: "namespace" } {
  return isSmall(target) ? target : { kind: "namespace" };
}

function isSmall(value: unknown, maxLength: number = MAX_SCOPE_LENGTH): boolean {
  return JSON.stringify(value).length <= maxLength;
}
