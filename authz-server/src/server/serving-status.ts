/** Whether checks should be sent here, as told to health checkers. Starts as not serving; ends as closing. */
export class ServingStatus {
  readonly #watchers = new Set<(isServing: boolean) => void>();
  readonly #closers = new Set<() => void>();
  #isReady = false;
  #isDraining = false;

  get isServing(): boolean {
    return this.#isReady && !this.#isDraining;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Says that policy is being enforced. */
  ready(): void {
    const before = this.isServing;
    this.#isReady = true;
    this.#tell(before);
  }

  /** Says that there is no policy any more that may be enforced. */
  unready(): void {
    const before = this.isServing;
    this.#isReady = false;
    this.#tell(before);
  }

  /** Says that the server is about to stop; there is no way back. */
  drain(): void {
    const before = this.isServing;
    this.#isDraining = true;
    this.#tell(before);
  }

  /** Says that connections are closed now: whoever watches must let go. */
  close(): void {
    for (const closer of this.#closers) closer();
    this.#closers.clear();
    this.#watchers.clear();
  }

  /** @returns ends the watch */
  watch(watcher: (isServing: boolean) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @returns takes it back */
  onClosing(closer: () => void): () => void {
    this.#closers.add(closer);
    return () => void this.#closers.delete(closer);
  }

  #tell(before: boolean): void {
    if (this.isServing === before) return;
    for (const watcher of this.#watchers) watcher(this.isServing);
  }
}
