import { setImmediate as nextTurn } from "node:timers/promises";
import { MESH_CONFIG_RESOURCE_NAME, type PolicyResource, READER_VERSION, resourceName } from "@gatehouse/protos";
import { decodeResource, resourceVersion } from "@gatehouse/protos/wire";
import type { Logger } from "pino";
import type { PolicyIndex } from "../policy/policy-index.ts";
import type { PrepareError } from "../policy/prepare.ts";
import { applyUpdate } from "../policy-update.ts";
import type { PolicyState } from "../state.ts";
import type { DiscoveryMetrics } from "../telemetry/metrics.ts";
import type { HeldResource, PolicySnapshot } from "./policy-snapshot.ts";

/** One atomic change, as one response of the controller brings it. */
export interface PolicyChange {
  /** Version of the whole set once this change is in. */
  readonly setVersion: string;
  readonly upserts: readonly HeldResource[];
  /** Names. */
  readonly removed: readonly string[];
}

export type Verdict =
  | { readonly kind: "applied" }
  /** Nothing changed; the policy before goes on. Sorted by resource. */
  | { readonly kind: "refused"; readonly errors: readonly PrepareError[] };

export interface ApplierOptions {
  readonly state: PolicyState;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
  /** Wall clock. */
  readonly nowMs: () => number;
  /** Called after each change that was applied. `isChanged` false: the set was confirmed as it is. */
  readonly onApplied: (applied: { readonly isFromDisk: boolean; readonly isChanged: boolean }) => void;
}

/**
 * Owns the accepted policy set: takes a change in whole or refuses it whole.
 * Changes are applied one after the other, in the order of the calls.
 */
export class PolicyApplier {
  readonly #options: ApplierOptions;
  readonly #held = new Map<string, HeldResource>();
  #index: PolicyIndex | null = null;
  #setVersion: string | null = null;
  #acceptedAtMs = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Version of the set that is enforced; null before the first. */
  get setVersion(): string | null {
    return this.#setVersion;
  }

  /** A set without MeshConfig is not enforced: root namespace and path normalisation would be guesses. */
  get hasMeshConfig(): boolean {
    return this.#held.has(MESH_CONFIG_RESOURCE_NAME);
  }

  /** Name to version of every resource held: `initial_resource_versions` of a new stream. */
  versions(): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#held.values(), ({ name, version }) => [name, version]));
  }

  /** What is accepted now. Only meaningful when `setVersion` is not null. */
  snapshot(): PolicySnapshot {
    return {
      setVersion: this.#setVersion ?? "",
      acceptedAtMs: this.#acceptedAtMs,
      resources: [...this.#held.values()],
    };
  }

  /** Notes that the controller wants what is held, now: for `acceptedAtMs` of the snapshot. */
  stillWanted(): void {
    this.#acceptedAtMs = this.#options.nowMs();
  }

  /** Never rejects. */
  apply(change: PolicyChange): Promise<Verdict> {
    return this.#enqueue(() => this.#applyNow(change, { isFromDisk: false, acceptedAtMs: this.#options.nowMs() }));
  }

  /** Applies a set read from disk, keeping the time when it was accepted. Never rejects. */
  async restore(snapshot: PolicySnapshot): Promise<Verdict> {
    const { setVersion, acceptedAtMs, resources } = snapshot;
    const change = { setVersion, upserts: resources, removed: [] };
    const verdict = await this.#enqueue(() => this.#applyNow(change, { isFromDisk: true, acceptedAtMs }));
    if (verdict.kind === "refused") {
      this.#options.log.warn({ errors: verdict.errors.slice(0, NAMES_IN_LOG) }, "last-good policy could not be used");
    }
    return verdict;
  }

  #enqueue(task: () => Promise<Verdict>): Promise<Verdict> {
    const verdict = this.#queue.then(task);
    this.#queue = verdict;
    return verdict;
  }

  /** What is asked for by name is sent again though it is held; importing such keys anew would empty the cache of their tokens. */
  #withoutKnown(change: PolicyChange): PolicyChange {
    const isNews = ({ name, version }: HeldResource) => this.#held.get(name)?.version !== version;
    return { ...change, upserts: change.upserts.filter((held) => isNews(held) || change.removed.includes(held.name)) };
  }

  async #applyNow(received: PolicyChange, origin: Origin): Promise<Verdict> {
    const startedAtMs = performance.now();
    // All of it is checked, what is known too: a response that contradicts itself is refused.
    const decoded = await decodeChange(received);
    if (decoded.errors.length > 0) return refused(decoded.errors);
    const change = this.#withoutKnown({ ...received, upserts: decoded.own });
    const news = new Set(change.upserts.map(({ name }) => name));
    const upserts = decoded.upserts.filter((resource) => news.has(resourceName(resource)));
    const isChanged = this.#index === null || upserts.length + change.removed.length > 0;
    if (isChanged) {
      const result = await applyUpdate(this.#index, { upserts, removed: change.removed }).catch((error: unknown) => {
        // A bug of ours, not of the resources: the old policy serves, the controller hears of it.
        this.#options.log.error({ err: error }, "policy change could not be prepared");
        return { ok: false, errors: [{ resource: "", message: "internal error while preparing" }] } as const;
      });
      if (!result.ok) return refused(result.errors);
      this.#index = result.index;
      for (const resource of change.upserts) this.#held.set(resource.name, resource);
      for (const name of change.removed) this.#held.delete(name);
    }
    this.#setVersion = change.setVersion;
    this.#acceptedAtMs = origin.acceptedAtMs;
    if (this.#index !== null && this.hasMeshConfig) this.#options.state.swap(this.#index);
    this.#tell(change, { isChanged, isFromDisk: origin.isFromDisk, durationMs: performance.now() - startedAtMs });
    return { kind: "applied" };
  }

  #tell(change: PolicyChange, applied: { isChanged: boolean; isFromDisk: boolean; durationMs: number }): void {
    const { metrics, log, onApplied } = this.#options;
    const version = change.setVersion;
    const resources = this.#held.size;
    metrics.policyApplied({ setVersion: version, resources, atMs: this.#acceptedAtMs });
    if (applied.isChanged) {
      const changed = namesOf(change.upserts.map((resource) => resource.name));
      const durationMs = Math.round(applied.durationMs);
      const source = applied.isFromDisk ? "disk" : "controller";
      log.info({ version, resources, source, changed, removed: namesOf(change.removed), durationMs }, "policy applied");
    } else {
      log.debug({ version, resources }, "policy confirmed");
    }
    onApplied(applied);
  }
}

interface Origin {
  readonly isFromDisk: boolean;
  /** Milliseconds since the epoch. */
  readonly acceptedAtMs: number;
}

const NAMES_IN_LOG = 20;

function namesOf(names: readonly string[]): readonly string[] {
  if (names.length <= NAMES_IN_LOG) return names;
  return [...names.slice(0, NAMES_IN_LOG), `and ${names.length - NAMES_IN_LOG} more`];
}

function refused(errors: readonly PrepareError[]): Verdict {
  return { kind: "refused", errors: errors.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)) };
}

/** Bytes read in one turn of the event loop: key sets can have megabytes, and checks go on in between. */
const BYTES_PER_TURN = 512 * 1024;

interface DecodedChange {
  readonly upserts: readonly PolicyResource[];
  /** With bytes of their own: they are kept, and would keep the whole message in memory. */
  readonly own: readonly HeldResource[];
  readonly errors: readonly PrepareError[];
}

async function decodeChange(change: PolicyChange): Promise<DecodedChange> {
  const upserts: PolicyResource[] = [];
  const own: HeldResource[] = [];
  const errors: PrepareError[] = [];
  const seen = new Set<string>();
  let bytesInTurn = 0;
  for (const held of change.upserts) {
    bytesInTurn += held.bytes.length;
    if (bytesInTurn > BYTES_PER_TURN) {
      await nextTurn();
      bytesInTurn = held.bytes.length;
    }
    const error = seen.has(held.name) ? "occurs twice in one response" : checkIntegrity(held);
    seen.add(held.name);
    const result = error === null ? decode(held) : error;
    if (typeof result === "string") errors.push({ resource: held.name, message: result });
    else upserts.push(result);
    own.push({ ...held, bytes: new Uint8Array(held.bytes) });
  }
  for (const name of change.removed) {
    if (seen.has(name)) errors.push({ resource: name, message: "both changed and removed in one response" });
    if (name === MESH_CONFIG_RESOURCE_NAME) errors.push({ resource: name, message: "must not be removed" });
  }
  return { upserts, own, errors };
}

function checkIntegrity(held: HeldResource): string | null {
  return resourceVersion(held.bytes) === held.version ? null : "content does not fit its version: damaged on the way";
}

/** @returns the resource, or why it can't be enforced */
function decode(held: HeldResource): PolicyResource | string {
  let resource: PolicyResource;
  try {
    resource = decodeResource(held.bytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (resourceName(resource) !== held.name) return `is named ${resourceName(resource)} inside`;
  const needed = minReaderVersionOf(resource);
  if (needed > READER_VERSION) {
    return `needs reader version ${needed}, this server has ${READER_VERSION}; upgrade the authz-server`;
  }
  return resource;
}

function minReaderVersionOf(resource: PolicyResource): number {
  return "meta" in resource ? resource.meta.minReaderVersion : resource.minReaderVersion;
}
