import { type PolicyResource, resourceName } from "@gatehouse/protos";
import { encodeResource, ResourceEncodeError, resourceVersion } from "@gatehouse/protos/wire";
import type { EncodedResource } from "./session.ts";
import { unenforceableForm } from "./unenforceable-form.ts";

/** A resource with the name it travels under. */
export interface NamedResource extends EncodedResource {
  readonly name: string;
}

/** Resources of one object, encoded. */
export interface EncodedResources {
  readonly resources: readonly NamedResource[];
  /** Why some can't be encoded as they are; in their place stands a form that denies, or nothing if there is none. */
  readonly problems: readonly string[];
}

/**
 * Encodes what one object was translated to. Never throws for odd content: objects are written by many people, and a text
 * that is no Unicode in one of them must not stop the others.
 */
export function encodeResources(translated: readonly PolicyResource[]): EncodedResources {
  const resources: NamedResource[] = [];
  const problems: string[] = [];
  for (const resource of translated) {
    try {
      resources.push(encode(resource));
    } catch (cause) {
      if (!(cause instanceof ResourceEncodeError)) throw cause;
      problems.push(cause.message);
      resources.push(...encodeUnenforceable(resource, cause.message));
    }
  }
  return { resources, problems };
}

/** Encodes one resource. @throws ResourceEncodeError when it has no faithful wire form */
export function encode(resource: PolicyResource): NamedResource {
  const bytes = encodeResource(resource);
  return { name: resourceName(resource), version: resourceVersion(bytes), bytes };
}

function encodeUnenforceable(resource: PolicyResource, reason: string): readonly NamedResource[] {
  const form = unenforceableForm(resource, reason);
  if (form === null || form === "withheld") return [];
  // The scope must survive, so texts are mended, not dropped: a label that is no Unicode selects no workload either way.
  const mend = (_key: string, value: unknown) => (typeof value === "string" ? value.toWellFormed() : value);
  const mended: PolicyResource = JSON.parse(JSON.stringify(form, mend));
  try {
    return [encode(mended)];
  } catch (cause) {
    if (cause instanceof ResourceEncodeError) return [];
    throw cause;
  }
}
