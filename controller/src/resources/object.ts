import type { ResourceKind } from "./gen/schemas.ts";
import type {
  AuthorizationPolicySpec,
  GatewaySpec,
  RequestAuthenticationSpec,
  VirtualServiceSpec,
} from "./gen/types.ts";

/** An object of one of our kinds that passed its schema. */
export type ResourceObject =
  | RequestAuthenticationObject
  | AuthorizationPolicyObject
  | VirtualServiceObject
  | GatewayObject;

export type RequestAuthenticationObject = KubernetesObject<"RequestAuthentication", RequestAuthenticationSpec>;
export type AuthorizationPolicyObject = KubernetesObject<"AuthorizationPolicy", AuthorizationPolicySpec>;
export type VirtualServiceObject = KubernetesObject<"VirtualService", VirtualServiceSpec>;
export type GatewayObject = KubernetesObject<"Gateway", GatewaySpec>;

interface KubernetesObject<Kind extends ResourceKind, Spec> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMetadata;
  /** `{}` where the object has none. */
  readonly spec: Spec;
}

/** The part of ObjectMeta that has a meaning here. */
export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; missing in files, usually. */
  readonly creationTimestamp?: string;
  /** Counts changes of `spec`; from the API server only. */
  readonly generation?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * An object that failed its schema, but says which object it is. Never enforced as written: translation makes a resource of it
 * that fails closed within what can still be read of its scope.
 */
export interface InvalidObject {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  /** At least one. */
  readonly errors: readonly FieldError[];
  /** The parsed document, of any shape. */
  readonly raw: unknown;
}

/** What is wrong with one field. */
export interface FieldError {
  /** `spec.rules[0].when[0].key`; keys that are no plain names stand in brackets: `spec.http[0].match[0].headers[x-a.b]`. */
  readonly path: string;
  readonly message: string;
}

/** `Kind/namespace/name`. */
export type ObjectKey = `${ResourceKind}/${string}/${string}`;

/** The key of an object; also the name of its policy resource. */
export function objectKey(object: ResourceObject | InvalidObject): ObjectKey {
  const { namespace, name } = "errors" in object ? object : object.metadata;
  return `${object.kind}/${namespace}/${name}`;
}

/** Where an object was read from. */
export interface Origin {
  /**
   * The place of a field, for messages: `deploy/examples/a.yaml:12`, or only the name of the source.
   * @param path as in FieldError; an empty path is the object itself, a missing field stands for the nearest one that exists
   */
  locate(path: string): string;
}

/** Something that a person should know about the sources. */
export interface Problem {
  readonly level: "error" | "warn";
  /** File and line, directory, or name of the source. */
  readonly where: string;
  /** The object concerned, or null when the problem is about none. */
  readonly object: { readonly kind: ResourceKind; readonly namespace: string; readonly name: string } | null;
  /** Path of the field; empty when the problem is about no single field. */
  readonly path: string;
  readonly message: string;
}

/** One line: `deploy/examples/a.yaml:12: AuthorizationPolicy foo/require-jwt: spec.rules[0].when[0].key: unknown field`. */
export function formatProblem({ where, object, path, message }: Problem): string {
  const subject = object === null ? "" : `${object.kind} ${object.namespace}/${object.name}`;
  return [where, subject, path, message].filter((part) => part !== "").join(": ");
}
