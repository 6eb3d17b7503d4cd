import { isDeepStrictEqual } from "node:util";
import { type KeySet, keySetResourceName } from "@gatehouse/protos";
import type { KeySource } from "../translate/report.ts";
import type { Clock } from "./clock.ts";
import type { FetchFailure } from "./fetch-failure.ts";
import type { FetchKeys, FetchOutcome } from "./fetcher.ts";
import type { SavedKeys } from "./key-file.ts";
import { afterFailureMs, afterSuccessMs, MIN_INTERVAL_MS, type RefreshTimes } from "./refresh-times.ts";
import { afterAttempt, NEVER_FETCHED, type SourceState, toKeySet } from "./source-state.ts";

/** How one source of keys stands. Times are wall clock, in milliseconds since the epoch. */
export interface KeySourceHealth {
  /** `KeySet.name`. */
  readonly keySet: string;
  readonly issuer: string;
  readonly uri: string;
  readonly state: KeySet["state"];
  readonly keys: number;
  /** Keys of the newest document that are not used, and why. */
  readonly skipped: readonly string[];
  readonly lastSuccessMs: number | null;
  readonly ageMs: number | null;
  readonly nextRefreshMs: number;
  readonly lastFailure: FetchFailure | null;
}

/** What refreshing needs. */
export interface RefresherOptions extends RefreshTimes {
  readonly fetch: FetchKeys;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Keys from before, by source; used until the first fetch. */
  readonly saved: readonly SavedKeys[];
  /** One more object needs a source that others need already; told again where it did before. */
  readonly onOwnerAdded?: (keySet: string, owner: string) => void;
  /** Some key set differs from what was taken last. */
  readonly onChange: () => void;
  /** Called after every attempt. */
  readonly onAttempt: (health: KeySourceHealth, outcome: FetchOutcome) => void;
}

/**
 * Keeps the keys of all sources fresh, each on its own: one that hangs delays no other. Sources that several objects share are fetched once.
 */
export class KeyRefresher {
  readonly #options: RefresherOptions;
  readonly #saved: ReadonlyMap<string, SavedKeys>;
  readonly #sources = new Map<string, RefreshedSource>();
  readonly #byOwner = new Map<string, readonly KeySource[]>();
  /** How long each object that needs a source gives one attempt, by source. */
  readonly #owners = new Map<string, Map<string, number>>();
  /** Names of sources whose key set may differ from what was taken last. */
  readonly #changed = new Set<string>();
  readonly #ending = new AbortController();

  constructor(options: RefresherOptions) {
    this.#options = options;
    this.#saved = new Map(options.saved.map((saved) => [saved.keySet, saved]));
  }

  /** Says which sources an object needs from now on; none when it is gone. A new source is fetched at once. */
  setSources(owner: string, sources: readonly KeySource[]): void {
    const before = this.#byOwner.get(owner) ?? [];
    if (sources.length + before.length === 0) return;
    if (sources.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, sources);
    for (const source of sources) this.#add(owner, source);
    const wanted = new Set(sources.map(({ keySet }) => keySet));
    for (const { keySet } of before) if (!wanted.has(keySet)) this.#release(owner, keySet);
  }

  /**
   * The key sets that came, changed or went since the last call, by resource name; null: nobody needs it any more.
   */
  takeChanges(): ReadonlyMap<string, KeySet | null> {
    const changes = new Map<string, KeySet | null>();
    for (const name of this.#changed) {
      changes.set(keySetResourceName(name), this.#sources.get(name)?.keySet ?? null);
    }
    this.#changed.clear();
    return changes;
  }

  /**
   * Resolves when every source has been tried once, or has keys from before; at the latest after that time. A source is waited for once:
   * one that does not answer must not hold up what comes later.
   */
  async settle(maxMs: number): Promise<void> {
    const waiting = [...this.#sources.values()].filter((source) => source.isAwaited());
    if (waiting.length === 0) return;
    let cancel = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(maxMs, resolve);
    });
    await Promise.race([Promise.all(waiting.map(({ firstAttempt }) => firstAttempt)), deadline]);
    cancel();
  }

  /** A server saw a token with a key that the set lacks. Unknown names are ignored. @param name `KeySet.name` */
  hint(name: string): void {
    this.#sources.get(name)?.hint();
  }

  health(): readonly KeySourceHealth[] {
    return [...this.#sources.values()].map((source) => source.health());
  }

  /** How the sources stand that one object needs. */
  healthOf(owner: string): readonly KeySourceHealth[] {
    const needed = this.#byOwner.get(owner) ?? [];
    return needed.flatMap(({ keySet }) => this.#sources.get(keySet)?.health() ?? []);
  }

  /** The objects that need a source. @param name `KeySet.name` */
  ownersOf(name: string): readonly string[] {
    return [...(this.#owners.get(name)?.keys() ?? [])];
  }

  /** What to keep on disk. */
  toSave(): readonly SavedKeys[] {
    return [...this.#sources.values()].flatMap((source) => source.toSave() ?? []);
  }

  /** Ends all attempts; resolves when they are over. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#sources.values()].map((source) => source.stop()));
  }

  #add(owner: string, source: KeySource): void {
    const owners = this.#owners.get(source.keySet) ?? new Map<string, number>();
    this.#owners.set(source.keySet, owners.set(owner, source.timeoutMs));
    if (this.#sources.has(source.keySet)) {
      this.#options.onOwnerAdded?.(source.keySet, owner);
      return;
    }
    const onChange = () => {
      this.#changed.add(source.keySet);
      this.#options.onChange();
    };
    const saved = this.#saved.get(source.keySet) ?? null;
    const { signal } = this.#ending;
    const timeoutMs = () => longest(owners.values());
    this.#sources.set(
      source.keySet,
      new RefreshedSource(source, { ...this.#options, onChange, timeoutMs, saved, signal }),
    );
    this.#changed.add(source.keySet);
  }

  #release(owner: string, name: string): void {
    const owners = this.#owners.get(name);
    owners?.delete(owner);
    if (owners !== undefined && owners.size > 0) return;
    this.#owners.delete(name);
    void this.#sources.get(name)?.stop(); // its last attempt ends by itself, and nobody waits for what it brings
    this.#sources.delete(name);
    this.#changed.add(name);
  }
}

// One source may have more owners than a call may have arguments.
function longest(timesMs: Iterable<number>): number {
  let longestMs = 0;
  for (const timeMs of timesMs) longestMs = Math.max(longestMs, timeMs);
  return longestMs;
}

interface SourceOptions extends Omit<RefresherOptions, "saved"> {
  /** The longest that any rule gives one attempt. */
  readonly timeoutMs: () => number;
  readonly saved: SavedKeys | null;
  readonly signal: AbortSignal;
}

/** One source: at most one attempt at a time, and one timer to the next. */
class RefreshedSource {
  /** Resolves when the first attempt is over. */
  readonly firstAttempt: Promise<void>;
  readonly #source: KeySource;
  readonly #options: SourceOptions;
  readonly #stopping = new AbortController();
  #state: SourceState;
  #attempt: Promise<void> | null = null;
  #cancelTimer: () => void = () => {};
  #nextAtMs = 0;
  /** When an unknown key last caused a fetch. */
  #hintedAtMs = Number.NEGATIVE_INFINITY;
  /** The next attempt is one that an unknown key causes. */
  #isNextHinted = false;
  /** An unknown key was reported while an attempt was under way, which may have been too early for it. */
  #isHintPending = false;
  #hasBeenTried = false;
  #hasBeenAwaited = false;
  #freshMs: number | null = null;

  constructor(source: KeySource, options: SourceOptions) {
    this.#source = source;
    this.#options = options;
    this.#state = this.#restored();
    this.firstAttempt = this.#fetch();
  }

  get keySet(): KeySet {
    return toKeySet(this.#source, this.#state);
  }

  /** Nothing is known of it yet; true for the first who asks. */
  isAwaited(): boolean {
    const isFirst = !this.#hasBeenAwaited;
    this.#hasBeenAwaited = true;
    return isFirst && !this.#hasBeenTried && this.#state.state === "unavailable";
  }

  /** An unknown key: fetch now, or as soon as the last fetch of this kind is long enough ago. */
  hint(): void {
    if (this.#attempt !== null) {
      this.#isHintPending = true;
      return;
    }
    const nowMs = this.#options.clock.steadyMs();
    const waitMs = Math.max(0, this.#hintedAtMs + MIN_INTERVAL_MS - nowMs);
    if (this.#nextAtMs > nowMs + waitMs) this.#schedule(waitMs, true);
  }

  health(): KeySourceHealth {
    const { clock } = this.#options;
    const { state, keys, skipped, successAtMs, lastFailure } = this.#state;
    const toWall = (steadyMs: number) => Math.round(clock.wallMs() + steadyMs - clock.steadyMs());
    return {
      keySet: this.#source.keySet,
      issuer: this.#source.issuer,
      uri: this.#source.uri,
      state,
      keys: keys.length,
      skipped,
      lastSuccessMs: successAtMs === null ? null : toWall(successAtMs),
      ageMs: successAtMs === null ? null : Math.round(clock.steadyMs() - successAtMs),
      nextRefreshMs: toWall(this.#nextAtMs),
      lastFailure,
    };
  }

  toSave(): SavedKeys | null {
    const { state, keys } = this.#state;
    const { lastSuccessMs, keySet } = this.health();
    if (state !== "ready" || lastSuccessMs === null) return null;
    return { keySet, keys, fetchedAtMs: lastSuccessMs };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTimer();
    await this.#attempt;
  }

  /** Keys from before a restart, with the age that they have by now. */
  #restored(): SourceState {
    const { saved, clock, maxStaleMs } = this.#options;
    if (saved === null) return NEVER_FETCHED;
    const ageMs = Math.max(0, clock.wallMs() - saved.fetchedAtMs);
    if (ageMs > maxStaleMs) return NEVER_FETCHED;
    return { ...NEVER_FETCHED, state: "ready", keys: saved.keys, successAtMs: clock.steadyMs() - ageMs };
  }

  #fetch(): Promise<void> {
    this.#attempt ??= this.#fetchNow().finally(() => {
      this.#attempt = null;
      this.#scheduleNext();
    });
    return this.#attempt;
  }

  async #fetchNow(): Promise<void> {
    const { fetch, clock, maxStaleMs, signal, timeoutMs, onChange, onAttempt } = this.#options;
    const ended = AbortSignal.any([signal, this.#stopping.signal]);
    const outcome = await fetch({ ...this.#source, timeoutMs: timeoutMs() }, ended);
    if (ended.aborted) return;
    this.#hasBeenTried = true;
    const before = this.#state;
    this.#state = afterAttempt(before, outcome, clock.steadyMs(), maxStaleMs);
    const isEmpty = outcome.kind === "keys" && outcome.keys.length === 0;
    // That there are no keys is asked again soon: the second such answer counts.
    this.#freshMs = outcome.kind === "failure" ? null : isEmpty ? 0 : outcome.freshMs;
    const isSame = before.state === this.#state.state && isDeepStrictEqual(before.keys, this.#state.keys);
    if (!isSame) onChange();
    // Servers get the new set, and say so if a key is missing in that one too.
    if (!isSame) this.#isHintPending = false;
    onAttempt(this.health(), outcome);
  }

  #scheduleNext(): void {
    if (this.#stopping.signal.aborted || this.#options.signal.aborted) return;
    const { random, intervalMs } = this.#options;
    const { failures } = this.#state;
    const delayMs =
      failures > 0 ? afterFailureMs(failures, random()) : afterSuccessMs(intervalMs, this.#freshMs, random());
    this.#schedule(delayMs, false);
    if (!this.#isHintPending) return;
    this.#isHintPending = false;
    this.hint();
  }

  #schedule(delayMs: number, isHinted: boolean): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    this.#isNextHinted = isHinted;
    this.#nextAtMs = clock.steadyMs() + delayMs;
    this.#cancelTimer = clock.after(delayMs, () => {
      if (this.#isNextHinted) this.#hintedAtMs = clock.steadyMs();
      void this.#fetch(); // it schedules the next by itself, and never rejects
    });
  }
}
