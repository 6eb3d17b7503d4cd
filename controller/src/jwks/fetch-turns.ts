import type { FetchKeys, FetchOutcome } from "./fetcher.ts";

/** Attempts of one namespace at the same time. */
const MAX_ATTEMPTS = 64;

const STOPPED: FetchOutcome = { kind: "failure", class: "stopped", detail: "the controller stops" };

/** Attempts that take turns. */
export interface FetchTurns {
  readonly fetch: FetchKeys;
  /** Says that a namespace needs a source, too: an attempt that waits for a turn may take one of that namespace from now on. */
  readonly join: (keySet: string, namespace: string) => void;
}

/** One attempt, until one of the namespaces that need its source has a turn for it. */
interface Waiter {
  readonly namespaces: Set<string>;
  /** @param turn the namespace whose turn it takes; null: it was given up */
  readonly end: (turn: string | null) => void;
}

/**
 * Lets each namespace fetch from a few sources at a time; more of them wait for each other. So whoever names thousands of servers, or
 * servers that never answer, takes neither connections nor memory from the others, and keeps nobody waiting but himself.
 * @param namespacesOf those that need a source, by `KeySet.name`; any of them may give it its turn
 */
export function fetchInTurns(
  fetch: FetchKeys,
  namespacesOf: (keySet: string) => Iterable<string>,
  maxAttempts: number = MAX_ATTEMPTS,
): FetchTurns {
  const running = new Map<string, number>();
  /** By namespace, the first is the next. */
  const waiting = new Map<string, Set<Waiter>>();
  /** The same by source. */
  const waitingFor = new Map<string, Waiter>();

  return {
    async fetch(source, signal) {
      const namespaces = new Set(namespacesOf(source.keySet));
      const turn = takeFree(namespaces) ?? (await queue(source.keySet, namespaces, signal));
      if (turn === null) return STOPPED;
      try {
        return await fetch(source, signal);
      } finally {
        pass(turn);
      }
    },
    join(keySet, namespace) {
      const waiter = waitingFor.get(keySet);
      if (waiter === undefined) return;
      const turn = takeFree([namespace]);
      if (turn === null) enqueue(waiter, namespace);
      else waiter.end(turn);
    },
  };

  function takeFree(namespaces: Iterable<string>): string | null {
    for (const namespace of namespaces) {
      const attempts = running.get(namespace) ?? 0;
      if (attempts >= maxAttempts) continue;
      running.set(namespace, attempts + 1);
      return namespace;
    }
    return null;
  }

  function queue(keySet: string, namespaces: ReadonlySet<string>, signal: AbortSignal): Promise<string | null> {
    return new Promise((resolve) => {
      const giveUp = () => waiter.end(null);
      const waiter: Waiter = {
        namespaces: new Set(),
        end(turn) {
          signal.removeEventListener("abort", giveUp);
          forget(keySet, waiter);
          resolve(turn);
        },
      };
      waitingFor.set(keySet, waiter);
      for (const namespace of namespaces) enqueue(waiter, namespace);
      signal.addEventListener("abort", giveUp);
      if (namespaces.size === 0 || signal.aborted) giveUp();
    });
  }

  /** Where it waits already, it keeps its place. */
  function enqueue(waiter: Waiter, namespace: string): void {
    waiter.namespaces.add(namespace);
    waiting.set(namespace, (waiting.get(namespace) ?? new Set()).add(waiter));
  }

  function forget(keySet: string, waiter: Waiter): void {
    // A source that went and came again has a newer one.
    if (waitingFor.get(keySet) === waiter) waitingFor.delete(keySet);
    for (const namespace of waiter.namespaces) {
      const others = waiting.get(namespace);
      others?.delete(waiter);
      if (others?.size === 0) waiting.delete(namespace);
    }
  }

  /** An attempt is over: its turn goes to the next one of its namespace. */
  function pass(turn: string): void {
    const [next] = waiting.get(turn) ?? [];
    const others = (running.get(turn) ?? 1) - 1;
    if (next !== undefined) next.end(turn);
    else if (others === 0) running.delete(turn);
    else running.set(turn, others);
  }
}
