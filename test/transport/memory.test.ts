import { expect, test } from "vitest";
import { runGrpcLoad } from "../bench/grpc-load.ts";
import { CHECK } from "../support/raw-http2.ts";
import { waitFor } from "../support/wait-for.ts";
import { startCheckServerProcess } from "./server-process.ts";

/** A million, or what the variable TRANSPORT_CALLS says (`make soak`). */
const CALLS = Number(process.env["TRANSPORT_CALLS"] ?? 1_000_000);
const ROUND = 100_000;
/** Four bytes for each of a million calls. */
const MAX_GROWTH_BYTES = 4 << 20;

test(
  "memory does not grow with the number of calls and connections",
  async () => {
    const server = await startCheckServerProcess();
    try {
      const messages = ["/", "/deny", `/${"x".repeat(2000)}`].map((path) => Buffer.from(path));
      const round = () =>
        runGrpcLoad({
          port: server.port,
          path: CHECK,
          metadata: { "gatehouse-namespace": "foo", "grpc-timeout": "500m" },
          messages,
          calls: ROUND,
          connections: 8,
          concurrency: 40,
        });
      for (let warmUp = 0; warmUp < 3; warmUp += 1) await round();
      const before = { inUse: await server.inUse(), rss: server.rss() };
      for (let calls = 0; calls < CALLS; calls += ROUND) await round();
      // Connections that are just being closed hold some megabytes for a moment.
      await waitFor("no more memory is in use than before", async () => {
        return (await server.inUse()) - before.inUse < MAX_GROWTH_BYTES;
      });
      // The collector is in no hurry: garbage of its old generation may stay.
      expect(server.rss() - before.rss).toBeLessThan(250 << 20);
    } finally {
      await server.kill();
    }
  },
  60_000 + CALLS / 10,
);
