import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesApi, KubernetesError } from "../../kubernetes/api.ts";
import { type BackOff, createBackOff } from "../../kubernetes/back-off.ts";
import type { SourceState } from "../source.ts";
import { listObjects } from "./list-objects.ts";
import { createRemovals, type Removals } from "./removals.ts";
import { findServedType, type ResourceType, type ServedType } from "./resource-type.ts";
import { parseWatchEvent, type WatchEvent } from "./watch-event.ts";

/** Which object it is, and which version of it. */
export interface Identified {
  /** Unique among the objects of one type. */
  readonly key: string;
  readonly resourceVersion: string;
}

/** Takes what a reflector reads. `Item` is what is kept of an object. */
export interface Target<Item> {
  /** Says which object it is without reading all of it; null when it is none. */
  identify(raw: unknown): Identified | null;
  /** Makes of an object what is kept of it. Must not throw. */
  read(raw: unknown, served: ServedType): Item;
  /** What changed, in one go: read objects by key, then the keys of those that are gone. */
  apply(changed: ReadonlyMap<string, Item>, removed: readonly string[]): void;
  /** Everything up to this version has been applied. */
  position(resourceVersion: string): void;
}

/** What happens on the way, for metrics and log. */
export interface ReflectorEvents {
  relisted(): void;
  /** A watch ended otherwise than by its time. */
  watchBroke(error: KubernetesError): void;
  skipped(): void;
  massRemoval(removed: number, before: number): void;
  /** `state()` has something new to tell. */
  changed(): void;
}

export interface ReflectorTimes {
  /** The API server ends a watch after that many seconds, up to a third more. */
  readonly watchSeconds: number;
  /** How much longer it may be silent before it counts as lost. */
  readonly graceMs: number;
  readonly retry: { readonly firstMs: number; readonly maxMs: number };
  /** How long the removal of objects waits for the CRD's own to become known. */
  readonly confirmMs: number;
  /** A watch that lasted so long shows that all is well. */
  readonly steadyMs: number;
  /** For how long errors that may pass by themselves are not told to anybody. */
  readonly patienceMs: number;
}

/** A lost connection is found, and opened again, in less than a minute. */
export const REFLECTOR_TIMES: ReflectorTimes = {
  watchSeconds: 30,
  graceMs: 8000,
  retry: { firstMs: 250, maxMs: 8000 },
  confirmMs: 200,
  steadyMs: 5000,
  patienceMs: 20_000,
};

export interface ReflectorOptions<Item> {
  readonly api: KubernetesApi;
  readonly type: ResourceType;
  readonly target: Target<Item>;
  readonly events: ReflectorEvents;
  readonly times: ReflectorTimes;
  readonly pageSize: number;
  /** Whether it is an alarm when most objects vanish at once. */
  readonly isMassRemovalTold: boolean;
}

export interface ReflectorState extends SourceState {
  /** Why it is not followed; null while it is, or while that may yet pass. */
  readonly problem: string | null;
  /** Set when most objects vanished at once, until the next change. */
  readonly massRemoval: { readonly removed: number; readonly before: number } | null;
}

interface Position {
  readonly served: ServedType;
  readonly resourceVersion: string;
}

/**
 * Keeps a target in step with all objects of one type, for ever: list, watch, go on where the watch ended, list again where that is not
 * possible. Whatever goes wrong, the target keeps what it has, and another attempt follows.
 */
export class Reflector<Item> {
  readonly #options: ReflectorOptions<Item>;
  readonly #backOff: BackOff;
  /** Versions by key, of what the target has. */
  readonly #known = new Map<string, string>();
  #position: Position | null = null;
  #apiVersion: string | null = null;
  #hasSynced = false;
  #isFollowing = false;
  #failingSinceMs: number | null = null;
  #problem: string | null = null;
  #massRemoval: ReflectorState["massRemoval"] = null;
  #lastHeardMs: number | null = null;

  constructor(options: ReflectorOptions<Item>) {
    this.#options = options;
    this.#backOff = createBackOff(options.times.retry);
  }

  state(): ReflectorState {
    return {
      kind: this.#options.type.kind,
      hasSynced: this.#hasSynced,
      isFollowing: this.#isFollowing,
      objects: this.#known.size,
      apiVersion: this.#apiVersion,
      problem: this.#problem,
      massRemoval: this.#massRemoval,
      silentMs: this.#lastHeardMs === null ? null : performance.now() - this.#lastHeardMs,
    };
  }

  /** @returns when the signal aborts */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#position ??= await this.#list(signal);
        await this.#watch(this.#position, signal);
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof KubernetesError)) throw error;
        this.#fail(error);
        // Rejects at an abort, which the loop's condition sees.
        await sleep(this.#backOff.next(error.retryAfterMs), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<Position> {
    const { api, type, target, events, pageSize, times } = this.#options;
    const served = await findServedType(api, type, signal);
    const versions = new Map<string, string>();
    const changed = new Map<string, Item>();
    const read = (raw: unknown): void => {
      const { key, resourceVersion } = this.#identify(raw);
      versions.set(key, resourceVersion);
      if (this.#known.get(key) !== resourceVersion) changed.set(key, target.read(raw, served));
    };
    const resourceVersion = await listObjects({ api, path: served.path, read, pageSize, signal });
    const removed = [...this.#known.keys()].filter((key) => !versions.has(key));
    if (removed.length > 0) await this.#confirmServed(times.confirmMs, signal);
    this.#apiVersion = served.apiVersion;
    this.#apply(changed, removed);
    for (const [key, version] of versions) this.#known.set(key, version);
    target.position(resourceVersion);
    events.relisted();
    this.#hasSynced = true;
    this.#hear();
    return { served, resourceVersion };
  }

  async #watch({ served }: Position, outer: AbortSignal): Promise<void> {
    const { api, times } = this.#options;
    const seconds = times.watchSeconds * (1 + Math.random() / 3);
    const query = {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: this.#position?.resourceVersion ?? "",
      timeoutSeconds: String(Math.ceil(seconds)),
    };
    const startMs = performance.now();
    const idleMs = Math.ceil(seconds) * 1000 + times.graceMs;
    const removals = this.#removals(outer);
    let lastedMs = 0;
    try {
      const onOpen = () => this.#hear();
      const request = { path: served.path, query, idleMs, timeoutMs: times.graceMs, onOpen, signal: removals.signal };
      for await (const line of api.lines(request)) this.#take(parseWatchEvent(line), served, removals);
      await removals.settle();
    } catch (error) {
      throw outer.aborted ? error : (removals.failure() ?? error);
    } finally {
      // Later changes have been applied already; going on from before them would bring their older versions back for a moment.
      if (removals.isWaiting()) this.#position = null;
      removals.stop();
      lastedMs = performance.now() - startMs;
      if (lastedMs > times.steadyMs) this.#backOff.reset();
    }
    // An API server that ends watches at once must not be asked again and again without a pause.
    if (lastedMs < Math.min(1000, seconds * 500)) {
      throw new KubernetesError("NETWORK", `GET ${served.path}: the watch ended at once`);
    }
    this.#hear();
  }

  /** Objects that are gone wait here until it is known that it is not their CRD that goes. */
  #removals(outer: AbortSignal): Removals {
    const { type, times } = this.#options;
    const isConfirmed = type.group === "";
    return createRemovals({
      confirm: async (signal) => (isConfirmed ? undefined : await this.#confirmServed(times.confirmMs, signal)),
      remove: (keys) => this.#apply(new Map(), keys),
      outer,
    });
  }

  #take(event: WatchEvent, served: ServedType, removals: Removals): void {
    const { target } = this.#options;
    switch (event.kind) {
      case "error":
        throw new KubernetesError("HTTP", `GET ${served.path}: the watch ended: ${event.message}`, {
          status: event.status ?? 500,
        });
      case "unreadable":
        throw new KubernetesError("BAD_ANSWER", `GET ${served.path}: the watch has an event that can't be read`);
      case "bookmark":
        break;
      case "changed": {
        const { key, resourceVersion } = this.#identify(event.object);
        removals.cancel(key);
        this.#apply(new Map([[key, target.read(event.object, served)]]), []);
        this.#known.set(key, resourceVersion);
        break;
      }
      case "deleted":
        removals.add(this.#identify(event.object).key);
        break;
    }
    this.#hear();
    const { resourceVersion } = event;
    removals.whenNone(() => {
      this.#position = { served, resourceVersion };
      target.position(resourceVersion);
    });
  }

  #identify(raw: unknown): Identified {
    const identity = this.#options.target.identify(raw);
    if (identity !== null) return identity;
    throw new KubernetesError("BAD_ANSWER", `${this.#options.type.plural}: the answer has an object without a name`);
  }

  async #confirmServed(afterMs: number, signal: AbortSignal): Promise<void> {
    await sleep(afterMs, undefined, { signal }).catch(() => undefined);
    const { api, type } = this.#options;
    await findServedType(api, type, signal);
  }

  #apply(changed: ReadonlyMap<string, Item>, removed: readonly string[]): void {
    const gone = removed.filter((key) => this.#known.has(key));
    if (changed.size + gone.length === 0) return;
    // One object of one is an edit; most of many is an accident, or an attack.
    const before = this.#known.size;
    const isMassRemoval = this.#options.isMassRemovalTold && gone.length > 1 && gone.length * 2 > before;
    this.#massRemoval = isMassRemoval ? { removed: gone.length, before } : null;
    if (isMassRemoval) this.#options.events.massRemoval(gone.length, before);
    this.#options.target.apply(changed, gone);
    for (const key of gone) this.#known.delete(key);
    this.#options.events.changed();
  }

  #hear(): void {
    this.#lastHeardMs = performance.now();
    this.#failingSinceMs = null;
    const isNews = !this.#isFollowing || this.#problem !== null;
    this.#isFollowing = true;
    this.#problem = null;
    if (isNews) this.#options.events.changed();
  }

  #fail(error: KubernetesError): void {
    const { events, times } = this.#options;
    const isUnreadable = error.code === "BAD_ANSWER" || error.code === "TOO_LARGE";
    if (this.#position !== null) {
      events.watchBroke(error);
      if (isUnreadable) events.skipped();
    }
    // An unreadable event may have hidden a change; after a deletion of the CRD old versions mean nothing.
    if (isUnreadable || error.status === 410 || error.status === 404) this.#position = null;
    this.#failingSinceMs ??= performance.now();
    const isLasting = error.status === 401 || error.status === 403 || error.status === 404;
    const hasPatience = this.#hasSynced && !isLasting && performance.now() - this.#failingSinceMs < times.patienceMs;
    if (hasPatience) return;
    this.#isFollowing = false;
    this.#problem = error.message;
    events.changed();
  }
}
