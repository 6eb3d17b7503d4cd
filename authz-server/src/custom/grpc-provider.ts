import type { ExtensionProvider } from "@gatehouse/protos";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ProtoError } from "../envoy/proto-reader.ts";
import type { ProviderAnswer } from "./provider-answer.ts";
import type { ProviderConnection } from "./provider-connection.ts";
import { encodeQuestion, type Question } from "./question.ts";
import { readCheckResponse } from "./read-check-response.ts";

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

/** Asks a provider of kind `envoyExtAuthzGrpc` over one channel that stays open. */
export class GrpcProvider implements ProviderConnection {
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor({ service, port, timeoutMs }: ExtensionProvider) {
    this.#timeoutMs = timeoutMs;
    this.#client = new Client(target(service, port), credentials.createInsecure(), {
      // A provider that is back is found soon; until then calls fail at once.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2000,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      // Settings of the environment or of DNS don't decide who authorizes.
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_channelz": 0,
    });
  }

  ask(question: Question, signal: AbortSignal | undefined): Promise<ProviderAnswer> {
    const deadline = Date.now() + this.#timeoutMs;
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        CHECK,
        asBuffer,
        asIs,
        encodeQuestion(question),
        new Metadata(),
        { deadline },
        (error, bytes) => resolve(error === null && bytes !== undefined ? read(bytes) : failed(error)),
      );
      if (signal?.aborted === true) call.cancel();
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
    });
  }

  close(): void {
    this.#client.close();
  }
}

function target(service: string, port: number): string {
  const isAddress = /^[\d.]+$/.test(service) || service.includes(":");
  const host = service.includes(":") && !service.startsWith("[") ? `[${service}]` : service;
  if (isAddress) return `${service.includes(":") ? "ipv6" : "ipv4"}:${host}:${port}`;
  return `dns:${host}:${port}`;
}

// Called from the event loop: nothing may be thrown from here.
function read(bytes: Uint8Array): ProviderAnswer {
  try {
    return readCheckResponse(bytes);
  } catch (error) {
    if (error instanceof ProtoError) return failure("the answer is no CheckResponse");
    return { kind: "refused", message: "the answer could not be read", status: 500 };
  }
}

function failed(error: ServiceError | null): ProviderAnswer {
  if (error === null) return failure("no answer");
  const isLocal = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  // Other texts are the provider's own, and might quote the request.
  return failure(isLocal ? `${status[error.code]}: ${error.details}` : `${status[error.code]}`);
}

function failure(message: string): ProviderAnswer {
  return { kind: "failed", message, answer: null };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asIs(bytes: Buffer): Uint8Array {
  return bytes;
}
