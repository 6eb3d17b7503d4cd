import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { encodeCheckResponse as encodeDecision } from "../../authz-server/src/envoy/check-response.ts";
import { DEFAULT_CHECK_LIMITS } from "../../authz-server/src/server/check-limits.ts";
import type { CheckHandler } from "../../authz-server/src/server/check-service.ts";
import { startCheckServer } from "../../authz-server/src/server/grpc-server.ts";
import { ServingStatus } from "../../authz-server/src/server/serving-status.ts";
import { createAuthzMetrics } from "../../authz-server/src/telemetry/metrics.ts";

/** The gRPC front with a handler that a test supplies. */
export interface TestCheckServer {
  /** @returns the gRPC code of the call, and the answer if it is OK */
  call(message: Uint8Array, deadlineMs?: number): Promise<{ readonly code: status; readonly answer: Uint8Array }>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it on a free port. */
export async function startTestCheckServer(handler: CheckHandler): Promise<TestCheckServer> {
  const registry = new Registry();
  const serving = new ServingStatus();
  serving.ready();
  const server = await startCheckServer({
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    handler,
    status: serving,
    limits: DEFAULT_CHECK_LIMITS,
    drain: { waitMs: 0, deadlineMs: 100 },
    metrics: createAuthzMetrics(registry, Date.now),
    log: pino({ level: "silent" }),
  });
  const client = new Client(server.addresses[0] ?? "", credentials.createInsecure());
  return {
    call: (message, deadlineMs = 5_000) =>
      new Promise((resolve) => {
        const deadline = Date.now() + deadlineMs;
        client.makeUnaryRequest(CHECK, toBuffer, toBuffer, message, new Metadata(), { deadline }, (error, value) =>
          resolve({ code: error?.code ?? status.OK, answer: value ?? new Uint8Array() }),
        );
      }),
    metrics: () => registry.metrics(),
    async stop() {
      client.close();
      await server.stop();
    },
  };
}

/**
 * Encodes something that is perhaps no decision, as a bug would hand it over.
 * @throws what the encoder throws
 */
export function encodeAsDecision(decision: unknown): Uint8Array {
  // The one place where the type is forgotten: a test wants to know what the encoder does with such a thing.
  return Reflect.apply(encodeDecision, undefined, [decision]);
}

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
