import { readFileSync } from "node:fs";
import { createServer } from "node:tls";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { encodeCheckResponse as encodeDecision } from "../../authz-server/src/envoy/check-response.ts";
import type { CheckFrontOptions, Transport } from "../../authz-server/src/server/check-front.ts";
import { DEFAULT_CHECK_LIMITS } from "../../authz-server/src/server/check-limits.ts";
import type { CheckHandler } from "../../authz-server/src/server/check-service.ts";
import { createGrpcJsFront } from "../../authz-server/src/server/grpc-js-front.ts";
import { startCheckServer } from "../../authz-server/src/server/grpc-server.ts";
import { createLeanFront } from "../../authz-server/src/server/lean-front.ts";
import { listen } from "../../authz-server/src/server/listen.ts";
import { ServingStatus } from "../../authz-server/src/server/serving-status.ts";
import { createAuthzMetrics } from "../../authz-server/src/telemetry/metrics.ts";
import type { TransportLimits } from "../../authz-server/src/transport/limits.ts";
import { testTransport } from "./test-transport.ts";

/** Every transport that checks may come by, the default first. */
export const TRANSPORTS: readonly Transport[] = ["lean", "grpc-js"];

/** What differs from the shipped server. */
export interface TestCheckServerOptions {
  /** Default: what `testTransport` says. */
  readonly transport?: Transport;
  /** Default: a free one. */
  readonly port?: number;
  /** Those of `TransportLimits` that `CheckLimits` lacks mean nothing to grpc-js. */
  readonly limits?: Partial<TransportLimits>;
}

/** The gRPC front with a handler that a test supplies. */
export interface TestCheckServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** @returns the gRPC code of the call, and the answer if it is OK */
  call(message: Uint8Array, deadlineMs?: number): Promise<{ readonly code: status; readonly answer: Uint8Array }>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it on a free port. */
export async function startTestCheckServer(
  handler: CheckHandler,
  options: TestCheckServerOptions = {},
): Promise<TestCheckServer> {
  const { registry, ...front } = frontOptions(handler, options);
  const server = await startCheckServer({
    ...front,
    transport: options.transport ?? testTransport(),
    listeners: [{ address: `127.0.0.1:${options.port ?? 0}`, identity: null }],
    drain: { waitMs: 0, deadlineMs: 100 },
  });
  const client = new Client(server.addresses[0] ?? "", credentials.createInsecure());
  return {
    port: Number(server.addresses[0]?.split(":").at(-1)),
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

/** The same transport behind TLS with ALPN h2; the certificate is support/tls/server.pem. */
export async function startTlsCheckServer(
  handler: CheckHandler,
  options: TestCheckServerOptions = {},
): Promise<Pick<TestCheckServer, "port" | "stop">> {
  const createFront = (options.transport ?? testTransport()) === "grpc-js" ? createGrpcJsFront : createLeanFront;
  const front = createFront({ ...frontOptions(handler, options), identity: null });
  const pem = readFileSync(new URL("tls/server.pem", import.meta.url));
  const tls = createServer({ key: pem, cert: pem, ALPNProtocols: ["h2"] }, (socket) => front.accept(socket));
  tls.on("tlsClientError", () => undefined);
  const listening = await listen("127.0.0.1:0", (socket) => void tls.emit("connection", socket));
  return {
    port: Number(listening.address.split(":").at(-1)),
    async stop() {
      const closed = listening.close();
      front.leave();
      listening.destroyConnections();
      await closed;
      front.end();
    },
  };
}

function frontOptions(
  handler: CheckHandler,
  options: TestCheckServerOptions,
): Omit<CheckFrontOptions, "identity"> & { readonly registry: Registry } {
  const registry = new Registry();
  const status = new ServingStatus();
  status.ready();
  return {
    handler,
    status,
    limits: { ...DEFAULT_CHECK_LIMITS, ...options.limits },
    metrics: createAuthzMetrics(registry, Date.now),
    log: pino({ level: "silent" }),
    registry,
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
