import { createLeanServer } from "../transport/lean-server.ts";
import { DEFAULT_TRANSPORT_LIMITS } from "../transport/limits.ts";
import type { Method, Reply } from "../transport/method.ts";
import type { CheckFront, CheckFrontOptions } from "./check-front.ts";
import { CHECK_PATH, type CheckRpcOptions, failureOf } from "./check-rpc.ts";
import { healthMethods } from "./health-methods.ts";

/** Serves Check and grpc.health.v1 by our own transport; every other method is UNIMPLEMENTED. */
export function createLeanFront(options: CheckFrontOptions): CheckFront {
  const { metrics, log, status, limits } = options;
  const { accept, leave } = createLeanServer({
    methods: new Map([[CHECK_PATH, checkMethod(options)], ...healthMethods(status)]),
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...limits },
    onCut(reason, error) {
      metrics.connectionCut(reason);
      // Anybody who can connect can cause the others.
      if (reason === "internal") log.error({ err: error }, "a connection was closed because of a fault here");
      else log.debug({ reason, err: error }, "a connection was cut");
    },
    onMethodError(error) {
      metrics.error("handler");
      log.error({ err: error }, "a call failed unexpectedly; answered with a gRPC error");
    },
  });
  return { accept, leave, end: () => undefined };
}

/** The last net: whatever is thrown becomes a gRPC error, never an answer. */
function checkMethod(options: CheckRpcOptions): Method {
  const { handler, identity } = options;
  const failed = (error: unknown): Reply => {
    const { code, details } = failureOf(error, options);
    return { kind: "status", code, message: details };
  };
  return {
    kind: "unary",
    answer(message, metadata, onCancel) {
      try {
        const answer = handler(message, metadata, identity, onCancel);
        return answer instanceof Promise ? answer.catch(failed) : answer;
      } catch (error) {
        return failed(error);
      }
    },
  };
}
