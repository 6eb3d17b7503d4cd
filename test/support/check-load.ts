import { connectCheckClient } from "./check-client.ts";
import { waitFor } from "./wait-for.ts";

/** What one request of a load came to. */
export interface LoadAnswer {
  /** Of `performance.now()`. */
  readonly askedAtMs: number;
  readonly status: number;
}

/** Clients that ask without a pause. */
export interface CheckLoad {
  /** Resolves when there are so many answers more than now. */
  more(count: number): Promise<void>;
  /** Ends it. @returns all answers */
  stop(): Promise<readonly LoadAnswer[]>;
}

/**
 * Starts some clients, each with a connection of its own, each asking again as soon as it has its answer.
 * @param token makes a new one for each request
 */
export function startCheckLoad(port: number, clients: number, token: () => Promise<string>): CheckLoad {
  const answers: LoadAnswer[] = [];
  let isOn = true;
  const loops = Array.from({ length: clients }, async () => {
    const client = connectCheckClient(port);
    try {
      while (isOn) {
        const bearer = await token();
        const askedAtMs = performance.now();
        const { status } = await client.check({ token: bearer });
        answers.push({ askedAtMs, status });
      }
    } finally {
      client.stop();
    }
  });
  return {
    async more(count) {
      const wanted = answers.length + count;
      await waitFor(`there are ${count} more answers`, () => answers.length >= wanted);
    },
    async stop() {
      isOn = false;
      await Promise.all(loops);
      return answers;
    },
  };
}
