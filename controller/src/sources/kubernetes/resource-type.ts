import { type KubernetesApi, KubernetesError } from "../../kubernetes/api.ts";
import { fieldOf } from "../../kubernetes/field-of.ts";

/** A kind of object as the API server names it. */
export interface ResourceType {
  readonly kind: string;
  /** Empty: the core group, whose `v1` is always there. */
  readonly group: string;
  /** Versions that we read, the best first. */
  readonly versions: readonly string[];
  readonly plural: string;
}

/** How a type is served now. */
export interface ServedType {
  /** `security.istio.io/v1` */
  readonly apiVersion: string;
  /** Of the list of all objects of all namespaces. */
  readonly path: string;
}

/**
 * Finds the best version that the API server has of a type.
 * @throws {KubernetesError} with status 404 when there is none, or when its CustomResourceDefinition is being deleted
 */
export async function findServedType(api: KubernetesApi, type: ResourceType, signal: AbortSignal): Promise<ServedType> {
  const { group, plural } = type;
  if (group === "") return { apiVersion: "v1", path: `/api/v1/${plural}` };
  const served = versionsOf(await api.request({ path: `/apis/${group}`, signal }));
  for (const version of type.versions.filter((candidate) => served.has(candidate))) {
    const apiVersion = `${group}/${version}`;
    const verbs = verbsOf(await api.request({ path: `/apis/${apiVersion}`, signal }), plural);
    // While a CRD is being deleted its objects can still be read, and vanish; but nobody can create any.
    if (verbs?.has("create") === false) throw missing(`${plural}.${group}`, "is being deleted");
    if (verbs !== null) return { apiVersion, path: `/apis/${apiVersion}/${plural}` };
  }
  throw missing(`${plural}.${group}`, "is not there");
}

function missing(crd: string, what: string): KubernetesError {
  const message = `CustomResourceDefinition ${crd} ${what}; apply the CRDs`;
  return new KubernetesError("HTTP", message, { status: 404, reason: "NotFound" });
}

/** The names in an APIGroup. */
function versionsOf(answer: unknown): ReadonlySet<unknown> {
  return new Set(listOf(answer, "versions").map((version) => fieldOf(version, "version")));
}

/** What can be done with a resource of an APIResourceList; null when it is not in there. */
function verbsOf(answer: unknown, plural: string): ReadonlySet<unknown> | null {
  const resource = listOf(answer, "resources").find((candidate) => fieldOf(candidate, "name") === plural);
  return resource === undefined ? null : new Set(listOf(resource, "verbs"));
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  if (Array.isArray(list)) return list;
  throw new KubernetesError("BAD_ANSWER", `discovery: the answer has no ${name}`);
}
