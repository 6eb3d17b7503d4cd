/** Removed objects of a watch, until their removal is confirmed. */
export interface Removals {
  /** Ends the watch: aborts with the outer signal, or when a removal could not be confirmed. */
  readonly signal: AbortSignal;
  isWaiting(): boolean;
  /** Why it could not; null while all is well. */
  failure(): unknown;
  add(key: string): void;
  /** The object is there again. */
  cancel(key: string): void;
  /** Calls back once nothing waits any more; at once if nothing does. A later call replaces an earlier one. */
  whenNone(done: () => void): void;
  /** Resolves when nothing waits any more. @throws what `confirm` threw */
  settle(): Promise<void>;
  stop(): void;
}

export interface RemovalsOptions {
  /** Resolves when what was removed before the call is to be believed. @throws when not */
  readonly confirm: (signal: AbortSignal) => Promise<void>;
  readonly remove: (keys: readonly string[]) => void;
  readonly outer: AbortSignal;
}

/** Joins removals that come while one is being confirmed: a whole namespace costs a few questions. */
export function createRemovals({ confirm, remove, outer }: RemovalsOptions): Removals {
  const ending = new AbortController();
  const waiting = new Set<string>();
  let running: Promise<void> | null = null;
  let failure: unknown = null;
  let onNone: (() => void) | null = null;
  const end = () => ending.abort();
  outer.addEventListener("abort", end);
  if (outer.aborted) end();

  async function work(): Promise<void> {
    while (waiting.size > 0 && !ending.signal.aborted) {
      const batch = [...waiting];
      await confirm(ending.signal);
      if (ending.signal.aborted) return;
      remove(batch.filter((key) => waiting.delete(key)));
    }
    onNone?.();
    onNone = null;
  }

  function start(): void {
    running = work()
      .catch((error: unknown) => {
        failure ??= error;
        end();
      })
      .finally(() => {
        running = null;
        // What was added after the last look, and before this.
        if (waiting.size > 0 && !ending.signal.aborted) start();
      });
  }

  return {
    signal: ending.signal,
    isWaiting: () => waiting.size > 0,
    failure: () => failure,
    add(key) {
      waiting.add(key);
      if (running === null) start();
    },
    cancel: (key) => void waiting.delete(key),
    whenNone(done) {
      if (running === null && waiting.size === 0) done();
      else onNone = done;
    },
    async settle() {
      while (running !== null) await running;
      if (failure !== null) throw failure;
    },
    stop() {
      outer.removeEventListener("abort", end);
      end();
    },
  };
}
