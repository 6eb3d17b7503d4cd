import {
  type HealthCheckRequest__Output,
  type HealthCheckResponse,
  type HealthDefinition,
  type HealthHandlers,
  loadHealth,
} from "@gatehouse/protos/wire";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import type { ServingStatus } from "./serving-status.ts";

/** `grpc.health.v1.Health`. */
export const HEALTH_SERVICE: HealthDefinition = loadHealth().service;

type Watch = ServerWritableStream<HealthCheckRequest__Output, HealthCheckResponse>;

/** The names that may be asked about; empty means the server as a whole. */
export const HEALTH_SERVICE_NAMES: ReadonlySet<string> = new Set(["", "envoy.service.auth.v3.Authorization"]);

/**
 * SERVING while policy is enforced and the server is not about to stop.
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function healthImplementation(serving: ServingStatus): HealthHandlers {
  return {
    Check(call, answer) {
      if (HEALTH_SERVICE_NAMES.has(call.request.service)) answer(null, { status: healthText(serving.isServing) });
      else answer({ code: status.NOT_FOUND, details: "unknown service" });
    },
    Watch(call) {
      if (!HEALTH_SERVICE_NAMES.has(call.request.service)) {
        // The protocol wants the stream kept open, in case the service appears; here none ever does.
        call.write({ status: "SERVICE_UNKNOWN" });
        endWhenClosing(call, serving);
        return;
      }
      call.write({ status: healthText(serving.isServing) });
      const stop = serving.watch((isServing) => void call.write({ status: healthText(isServing) }));
      call.once("cancelled", stop);
      endWhenClosing(call, serving);
    },
  };
}

/** The state in the words of the health protocol. */
export function healthText(isServing: boolean): "SERVING" | "NOT_SERVING" {
  return isServing ? "SERVING" : "NOT_SERVING";
}

/** An open watch would hold up the drain until its deadline. */
function endWhenClosing(call: Watch, serving: ServingStatus): void {
  const stop = serving.onClosing(() => call.end());
  call.once("cancelled", stop);
}
