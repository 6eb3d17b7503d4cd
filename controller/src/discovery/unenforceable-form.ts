import type { ObjectMeta, PolicyResource } from "@gatehouse/protos";

/** Understood by every reader there has been. */
const FIRST_READER_VERSION = 1;

/** Reasons come from servers; more than this is of no use to anybody. */
const MAX_REASON_LENGTH = 500;

/**
 * The form of a resource for a server that can't enforce the true one: it denies within the resource's scope.
 * What a server might stumble over is left out; what says whom it concerns stays.
 * @returns `withheld` where leaving the resource out denies already; null where no form would be safe
 */
export function unenforceableForm(resource: PolicyResource, reason: string): PolicyResource | "withheld" | null {
  const why = reason.slice(0, MAX_REASON_LENGTH).toWellFormed() || "the server gave no reason";
  switch (resource.kind) {
    case "AuthorizationPolicy":
      return { ...resource, meta: marked(resource.meta, why), provider: "", rules: [] };
    case "RequestAuthentication":
      // Rules keep their locations, where tokens are rejected, and their output headers, which clients must not forge.
      return {
        ...resource,
        meta: marked(resource.meta, why),
        jwtRules: resource.jwtRules.map((rule) => ({ ...rule, invalid: why })),
      };
    case "VirtualService":
      return { ...resource, meta: marked(resource.meta, why), http: [] };
    case "Gateway":
      return { ...resource, meta: marked(resource.meta, why) };
    case "KeySet":
      return { ...resource, minReaderVersion: FIRST_READER_VERSION, state: "unavailable", keys: [] };
    case "ExtensionProvider":
      return "withheld"; // a CUSTOM policy without its provider denies
    case "MeshConfig":
      return null;
  }
}

function marked(meta: ObjectMeta, unenforceable: string): ObjectMeta {
  return { ...meta, minReaderVersion: FIRST_READER_VERSION, unenforceable };
}
