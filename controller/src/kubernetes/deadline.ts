/** A limit of time for one exchange, joined with the signal that ends it from outside. */
export interface Deadline {
  /** Aborts when the time is up, or with the outer signal. */
  readonly signal: AbortSignal;
  /** Why it ended: null while it goes on. */
  readonly ended: "timeout" | "aborted" | null;
  /** What the limit was when it was set last, in milliseconds. */
  readonly limitMs: number;
  /** Begins anew. */
  extend(ms: number): void;
  /** Lets time pass until the next `extend`. */
  pause(): void;
  /** Lets go of timer and outer signal. */
  stop(): void;
}

export function startDeadline(outer: AbortSignal | undefined, ms: number): Deadline {
  const controller = new AbortController();
  let ended: Deadline["ended"] = null;
  let limitMs = ms;
  let timer: NodeJS.Timeout | undefined;
  const end = (why: "timeout" | "aborted") => {
    ended ??= why;
    controller.abort();
  };
  const onAbort = () => end("aborted");
  const extend = (next: number) => {
    limitMs = next;
    clearTimeout(timer);
    timer = setTimeout(() => end("timeout"), next);
  };
  if (outer?.aborted === true) onAbort();
  outer?.addEventListener("abort", onAbort);
  extend(ms);
  return {
    signal: controller.signal,
    get ended() {
      return ended;
    },
    get limitMs() {
      return limitMs;
    },
    extend,
    pause: () => clearTimeout(timer),
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onAbort);
    },
  };
}
