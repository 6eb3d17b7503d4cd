import { type MeshConfig, type PolicyResource, resourceName } from "@gatehouse/protos";
import type { ImportedKeySet } from "../authn/key-set.ts";
import { PolicyIndex, type PolicySet } from "./policy-index.ts";
import { type PreparedPolicy, preparePolicy, sourceOf } from "./prepared-policy.ts";

/** One atomic change of the policy set. */
export interface PolicyUpdate {
  readonly upserts: readonly PolicyResource[];
  /** Resource names. */
  readonly removed: readonly string[];
}

/** Why this server cannot enforce a resource. */
export interface PrepareError {
  readonly resource: string;
  readonly message: string;
}

export type Prepared =
  | { readonly ok: true; readonly index: PolicyIndex }
  | { readonly ok: false; readonly errors: readonly PrepareError[] };

/** What holds until the controller's MeshConfig is there; a server is not ready before. Istio's defaults. */
const DEFAULT_MESH: MeshConfig = {
  kind: "MeshConfig",
  minReaderVersion: 1,
  rootNamespace: "istio-system",
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  dnsSuffix: "svc.cluster.local",
  pathNormalization: "BASE",
  numTrustedProxies: 0,
  strictPaths: false,
  keysUnavailable: 401,
  routing: "cluster",
  unmatchedHosts: "notFound",
};

/**
 * Makes the next index from the previous one and a change. Namespaces that did not change are shared with the previous index; only a
 * new MeshConfig makes every policy be compiled again.
 * @param importedKeys the key sets among the upserts, ready for use, by resource name
 */
export function prepare(
  previous: PolicyIndex | null,
  update: PolicyUpdate,
  importedKeys: ReadonlyMap<string, ImportedKeySet>,
): Prepared {
  const old = previous?.set ?? EMPTY;
  const mesh = meshOf(update.upserts) ?? old.mesh;
  const compile = compiler(mesh);
  const namespaces = new NamespaceEditor(mesh === old.mesh ? old.namespaces : compile.again(old.namespaces));
  for (const name of update.removed) namespaces.delete(name);
  for (const resource of update.upserts) {
    const policy = compile.one(resource);
    if (policy !== undefined) namespaces.set(resourceName(resource), policy);
  }
  if (compile.errors.length > 0) return { ok: false, errors: compile.errors };
  const keySets = changedKeys(old.keySets, update.removed, importedKeys);
  const providers = changedProviders(old.providers, update);
  return { ok: true, index: new PolicyIndex({ mesh, namespaces: namespaces.result, keySets, providers }) };
}

const EMPTY: PolicySet = { mesh: DEFAULT_MESH, namespaces: new Map(), keySets: new Map(), providers: new Map() };

function meshOf(resources: readonly PolicyResource[]): MeshConfig | undefined {
  return resources.find((resource) => resource.kind === "MeshConfig");
}

type Namespaces = PolicySet["namespaces"];

function compiler(mesh: MeshConfig): {
  readonly one: (resource: PolicyResource) => PreparedPolicy | undefined;
  readonly again: (namespaces: Namespaces) => Namespaces;
  readonly errors: readonly PrepareError[];
} {
  const errors: PrepareError[] = [];
  const one = (resource: PolicyResource): PreparedPolicy | undefined => {
    try {
      return preparePolicy(resource, mesh);
    } catch (error) {
      errors.push({
        resource: resourceName(resource),
        message: error instanceof Error ? error.message : String(error),
      });
      return undefined;
    }
  };
  const again = (namespaces: Namespaces): Namespaces =>
    new Map([...namespaces].map(([namespace, policies]) => [namespace, recompiled(policies, one)]));
  return { one, again, errors };
}

function recompiled(
  policies: ReadonlyMap<string, PreparedPolicy>,
  compile: (resource: PolicyResource) => PreparedPolicy | undefined,
): ReadonlyMap<string, PreparedPolicy> {
  const result = new Map<string, PreparedPolicy>();
  for (const [name, policy] of policies) {
    const next = compile(sourceOf(policy));
    if (next !== undefined) result.set(name, next);
  }
  return result;
}

function changedKeys(
  old: PolicySet["keySets"],
  removed: readonly string[],
  imported: ReadonlyMap<string, ImportedKeySet>,
): PolicySet["keySets"] {
  const isRemoval = removed.some((name) => old.has(name));
  if (imported.size === 0 && !isRemoval) return old;
  const keySets = new Map([...old, ...imported]);
  for (const name of removed) if (!imported.has(name)) keySets.delete(name);
  return keySets;
}

function changedProviders(old: PolicySet["providers"], { upserts, removed }: PolicyUpdate): PolicySet["providers"] {
  const gone = new Set(removed);
  const kept = [...old.values()].filter((provider) => !gone.has(resourceName(provider)));
  const added = upserts.filter((resource) => resource.kind === "ExtensionProvider");
  return new Map([...kept, ...added].map((provider) => [provider.name, provider]));
}

/** Copies a namespace when it is first written to, and nothing else. */
class NamespaceEditor {
  readonly #namespaces: Map<string, ReadonlyMap<string, PreparedPolicy>>;
  readonly #copies = new Map<string, Map<string, PreparedPolicy>>();

  constructor(namespaces: Namespaces) {
    this.#namespaces = new Map(namespaces);
  }

  set(name: string, policy: PreparedPolicy): void {
    this.#writable(name).set(name, policy);
  }

  delete(name: string): void {
    if (this.#namespaces.get(namespaceOf(name))?.has(name)) this.#writable(name).delete(name);
  }

  get result(): Namespaces {
    return this.#namespaces;
  }

  #writable(name: string): Map<string, PreparedPolicy> {
    const namespace = namespaceOf(name);
    let copy = this.#copies.get(namespace);
    if (copy === undefined) {
      copy = new Map(this.#namespaces.get(namespace));
      this.#copies.set(namespace, copy);
      this.#namespaces.set(namespace, copy);
    }
    return copy;
  }
}

/** The middle part of `Kind/namespace/name`. */
function namespaceOf(resource: string): string {
  return resource.split("/")[1] ?? "";
}
