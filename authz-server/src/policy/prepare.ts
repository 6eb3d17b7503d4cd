import {
  DEFAULT_MESH_CONFIG,
  type Gateway,
  type MeshConfig,
  type PolicyResource,
  resourceName,
} from "@gatehouse/protos";
import type { ImportedKeySet } from "../authn/key-set.ts";
import { inlineDelegates } from "../routing/delegates.ts";
import type { PreparedVirtualService } from "../routing/prepared-route.ts";
import type { RoutingSources } from "../routing/route-table.ts";
import { byAge } from "./age.ts";
import { emptyNamespace, NamespaceEditor } from "./namespace-policies.ts";
import { PolicyIndex, type PolicySet } from "./policy-index.ts";
import { preparePolicy, sourceOf } from "./prepared-policy.ts";

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

/**
 * Makes the next index from the previous one and a change. What did not change is shared with the previous index; only a new MeshConfig
 * makes every policy be compiled again.
 * @param importedKeys the key sets among the upserts, ready for use, by resource name
 */
export function prepare(
  previous: PolicyIndex | null,
  update: PolicyUpdate,
  importedKeys: ReadonlyMap<string, ImportedKeySet>,
): Prepared {
  const steps = prepareInSteps(previous, update, importedKeys);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** `prepare` in steps of one resource or less, between which the caller may turn to something else. */
export function* prepareInSteps(
  previous: PolicyIndex | null,
  update: PolicyUpdate,
  importedKeys: ReadonlyMap<string, ImportedKeySet>,
): Generator<void, Prepared, void> {
  const old = previous?.set ?? EMPTY;
  const mesh = meshOf(update.upserts) ?? old.mesh;
  const isMeshNew = mesh !== old.mesh;
  const editor = new PolicyEditor(isMeshNew ? new Map() : old.namespaces, mesh);
  const known = isMeshNew ? sourcesOf(old.namespaces) : [];
  for (const resource of known) {
    editor.set(resource);
    yield;
  }
  for (const name of update.removed) editor.delete(name);
  for (const resource of update.upserts) {
    editor.set(resource);
    yield;
  }
  if (editor.errors.length > 0) return { ok: false, errors: editor.errors };
  yield;
  const namespaces = yield* editor.result();
  const isRoutingNew = isMeshNew || [...known, ...update.upserts].some(isRouting) || update.removed.some(isRoutingName);
  const set: PolicySet = {
    mesh,
    namespaces,
    keySets: changedKeys(old.keySets, update.removed, importedKeys),
    providers: changedProviders(old.providers, update),
    routing: isRoutingNew ? routingOf(namespaces) : old.routing,
  };
  return { ok: true, index: new PolicyIndex(set, previous) };
}

const EMPTY: PolicySet = {
  // Holds until the controller's is there; a server is not ready before.
  mesh: DEFAULT_MESH_CONFIG,
  namespaces: new Map(),
  keySets: new Map(),
  providers: new Map(),
  routing: { gateways: [], virtualServices: [] },
};

function meshOf(resources: readonly PolicyResource[]): MeshConfig | undefined {
  return resources.find((resource) => resource.kind === "MeshConfig");
}

type Namespaces = PolicySet["namespaces"];

function sourcesOf(namespaces: Namespaces): readonly PolicyResource[] {
  return [...namespaces.values()].flatMap(({ policies }) => Array.from(policies.values(), sourceOf));
}

function isRouting({ kind }: PolicyResource): boolean {
  return kind === "Gateway" || kind === "VirtualService";
}

function isRoutingName(name: string): boolean {
  return name.startsWith("Gateway/") || name.startsWith("VirtualService/");
}

function routingOf(namespaces: Namespaces): RoutingSources {
  const gateways: Gateway[] = [];
  const virtualServices: PreparedVirtualService[] = [];
  for (const { policies } of namespaces.values()) {
    for (const policy of policies.values()) {
      if (policy.kind === "Gateway") gateways.push(policy);
      if (policy.kind === "VirtualService") virtualServices.push(policy);
    }
  }
  return {
    gateways: gateways.toSorted(byAge),
    virtualServices: inlineDelegates(virtualServices.toSorted((a, b) => byAge(a.source, b.source))),
  };
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
  if (added.length === 0 && kept.length === old.size) return old;
  return new Map([...kept, ...added].map((provider) => [provider.name, provider]));
}

/** Rules of the root namespace come after those of the workload's own. */
const ROOT_ORDER = 2 ** 52;

/** Compiles what changes. Copies a namespace when it is first written to, and nothing else. */
class PolicyEditor {
  readonly errors: PrepareError[] = [];
  readonly #mesh: MeshConfig;
  readonly #namespaces: Namespaces;
  readonly #editors = new Map<string, NamespaceEditor>();

  constructor(namespaces: Namespaces, mesh: MeshConfig) {
    this.#namespaces = namespaces;
    this.#mesh = mesh;
  }

  set(resource: PolicyResource): void {
    if (!("meta" in resource)) return;
    const name = resourceName(resource);
    const editor = this.#editorOf(namespaceOf(name));
    try {
      const policy = preparePolicy(
        resource,
        this.#mesh,
        resource.kind === "AuthorizationPolicy" ? editor.orderFor(name) : 0,
      );
      if (policy !== undefined) editor.set(name, policy);
    } catch (error) {
      this.errors.push({ resource: name, message: error instanceof Error ? error.message : String(error) });
    }
  }

  delete(name: string): void {
    const namespace = namespaceOf(name);
    if (this.#editors.has(namespace) || this.#namespaces.get(namespace)?.policies.has(name)) {
      this.#editorOf(namespace).delete(name);
    }
  }

  *result(): Generator<void, Namespaces, void> {
    const namespaces = new Map(this.#namespaces);
    for (const [name, editor] of this.#editors) {
      const result = yield* editor.result();
      if (result.policies.size > 0) namespaces.set(name, result);
      else namespaces.delete(name);
      yield;
    }
    return namespaces;
  }

  #editorOf(namespace: string): NamespaceEditor {
    let editor = this.#editors.get(namespace);
    if (editor === undefined) {
      const firstOrder = namespace === this.#mesh.rootNamespace ? ROOT_ORDER : 0;
      editor = new NamespaceEditor(this.#namespaces.get(namespace) ?? emptyNamespace(firstOrder), this.#mesh);
      this.#editors.set(namespace, editor);
    }
    return editor;
  }
}

/** The middle part of `Kind/namespace/name`. */
function namespaceOf(resource: string): string {
  return resource.split("/")[1] ?? "";
}
