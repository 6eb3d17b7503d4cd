const TICKS = 10;

/**
 * Calls back when this process has been awake for a while. Time in which it was stopped itself (a paused container, SIGSTOP) counts as one
 * tick at most: nobody could have answered it then.
 * @returns ends it
 */
export function afterAwake(ms: number, callback: () => void): () => void {
  let left = TICKS;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    callback();
  }, ms / TICKS);
  timer.unref();
  return () => clearInterval(timer);
}
