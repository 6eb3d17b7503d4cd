import type { Running } from "./process.ts";

/**
 * The parts of a process: started one after the other, stopped in reverse order.
 * When one can't be started, those before it are stopped and its error is thrown.
 */
export class Parts implements Running {
  readonly #started: Running[] = [];

  /** Starts one more part. @throws what `start` throws, after the other parts were stopped */
  async add<Part extends Running>(start: () => Promise<Part>): Promise<Part> {
    try {
      const part = await start();
      this.#started.push(part);
      return part;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) await part.stop();
  }
}
