import { setTimeout as delay } from "node:timers/promises";
import { type CheckClient, connectCheckClient } from "../../support/check-client.ts";
import type { RunningPod } from "./node.ts";

/** Watches, by asking each authz-server, how long a change takes until all of them enforce it. */
export interface EnforcementWatch {
  /**
   * Makes the change `change`, and asks every server for workload `app=<app>` of namespace foo, with the header `x-change`, until it
   * allows the request. Resolves with the milliseconds from just before the change to the last server's first yes.
   */
  measure(app: string, value: string, change: () => Promise<unknown>): Promise<number>;
  stop(): void;
}

/** @param servers the pods of authz-server */
export function watchEnforcement(servers: readonly RunningPod[]): EnforcementWatch {
  const clients = servers.map(({ address }) => connectCheckClient(9001, address));
  return {
    measure: async (app, value, change) => {
      const startedMs = performance.now();
      const deadlineMs = startedMs + 30_000;
      const seen = clients.map((client) => firstYes(client, { app, value, deadlineMs }));
      const [, ...timesMs] = await Promise.all([change(), ...seen]);
      return Math.max(...timesMs) - startedMs;
    },
    stop: () => {
      for (const client of clients) client.stop();
    },
  };
}

async function firstYes(
  client: CheckClient,
  wanted: { readonly app: string; readonly value: string; readonly deadlineMs: number },
): Promise<number> {
  const request = { namespace: "foo", labels: `app=${wanted.app}`, headers: [["x-change", wanted.value]] } as const;
  for (;;) {
    const { status } = await client.check(request);
    const nowMs = performance.now();
    if (status === 200) return nowMs;
    if (nowMs > wanted.deadlineMs) throw new Error(`not enforced within 30 s: ${wanted.value} for ${wanted.app}`);
    await delay(POLL_MS);
  }
}

/** Short beside what is measured, and long enough that asking does not keep the machine busy. */
const POLL_MS = 5;
