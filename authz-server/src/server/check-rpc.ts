import {
  type handleUnaryCall,
  type Metadata,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import { type CallMetadata, type CheckHandler, CheckUnavailable, InvalidCheckRequest } from "./check-service.ts";
import type { ListenerIdentity } from "./listener-identity.ts";

/** The method that Envoy calls. */
export const CHECK_PATH = "/envoy.service.auth.v3.Authorization/Check";

/** `envoy.service.auth.v3.Authorization/Check` with messages left as bytes: the handler decodes what it needs. */
export const CHECK_SERVICE: ServiceDefinition = {
  Check: {
    path: CHECK_PATH,
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
    requestSerialize: toBuffer,
    responseDeserialize: (bytes: Buffer): Uint8Array => bytes,
    responseSerialize: toBuffer,
  },
};

export interface CheckRpcOptions {
  readonly handler: CheckHandler;
  readonly identity: ListenerIdentity | null;
  readonly metrics: Pick<CheckMetrics, "error">;
  readonly log: Logger;
}

/**
 * Carries calls to the handler and its answers back, synchronously where the handler is.
 * The last net: whatever is thrown becomes a gRPC error (Envoy then applies its failure mode), never an answer and
 * never the end of the process.
 */
export function checkImplementation(options: CheckRpcOptions): UntypedServiceImplementation {
  const { handler, identity } = options;
  const Check: handleUnaryCall<Uint8Array, Uint8Array> = (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer) => {
    let result: Uint8Array | Promise<Uint8Array>;
    try {
      result = handler(call.request, toCallMetadata(call.metadata), identity, (cancelled) =>
        call.on("cancelled", cancelled),
      );
    } catch (error) {
      answer(failureOf(error, options));
      return;
    }
    if (result instanceof Uint8Array) {
      answer(null, result);
      return;
    }
    result.then(
      (bytes) => answer(null, bytes),
      (error: unknown) => answer(failureOf(error, options)),
    );
  };
  return { Check };
}

/** What a caller is told about an error of the handler; counted, and logged when it is ours. */
export function failureOf(
  error: unknown,
  options: Pick<CheckRpcOptions, "metrics" | "log">,
): { readonly code: status; readonly details: string } {
  if (error instanceof CheckUnavailable) return { code: status.UNAVAILABLE, details: error.message };
  if (error instanceof InvalidCheckRequest) {
    options.metrics.error("invalid_request");
    return { code: status.INVALID_ARGUMENT, details: error.message };
  }
  options.metrics.error("handler");
  options.log.error({ err: error }, "check failed unexpectedly; answered with a gRPC error");
  return { code: status.INTERNAL, details: "internal error" };
}

function toCallMetadata(metadata: Metadata): CallMetadata {
  return {
    get(key) {
      // Node joins a key that is sent twice with ", ", so there is one value at most.
      return metadata.get(key)[0]?.toString();
    },
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
