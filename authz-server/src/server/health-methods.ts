import type { HealthCheckRequest__Output } from "@gatehouse/protos/wire";
import { status } from "@grpc/grpc-js";
import { grpcStatus } from "../transport/grpc-status.ts";
import type { Method, Reply } from "../transport/method.ts";
import { HEALTH_SERVICE, HEALTH_SERVICE_NAMES, healthText } from "./health-service.ts";
import type { ServingStatus } from "./serving-status.ts";

/** `grpc.health.v1.Health` for our own transport, by path. */
export function healthMethods(serving: ServingStatus): readonly (readonly [string, Method])[] {
  const answer = (): Uint8Array => HEALTH_SERVICE.Check.responseSerialize({ status: healthText(serving.isServing) });
  const check: Method = {
    kind: "unary",
    answer(message): Reply {
      const request = read(message);
      if (request === null) return NOT_A_REQUEST;
      return HEALTH_SERVICE_NAMES.has(request.service) ? answer() : UNKNOWN_SERVICE;
    },
  };
  const watch: Method = {
    kind: "streaming",
    start(message, replies) {
      const request = read(message);
      if (request === null) {
        replies.end(NOT_A_REQUEST);
        return;
      }
      const isKnown = HEALTH_SERVICE_NAMES.has(request.service);
      const send = (): void => replies.send(answer());
      if (isKnown) send();
      // The protocol wants the stream kept open, in case the service appears; here none ever does.
      else replies.send(HEALTH_SERVICE.Watch.responseSerialize({ status: "SERVICE_UNKNOWN" }));
      const stopWatching = isKnown ? serving.watch(send) : () => undefined;
      const stopClosing = serving.onClosing(() => replies.end(grpcStatus(status.OK, "")));
      replies.onCancel(() => {
        stopWatching();
        stopClosing();
      });
    },
  };
  return [
    [HEALTH_SERVICE.Check.path, check],
    [HEALTH_SERVICE.Watch.path, watch],
  ];
}

const NOT_A_REQUEST = grpcStatus(status.INTERNAL, "not a HealthCheckRequest");
const UNKNOWN_SERVICE = grpcStatus(status.NOT_FOUND, "unknown service");

function read(message: Uint8Array): HealthCheckRequest__Output | null {
  try {
    return HEALTH_SERVICE.Check.requestDeserialize(Buffer.from(message));
  } catch {
    return null; // the caller's bytes, the caller's error
  }
}
