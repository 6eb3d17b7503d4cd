import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { CheckFront, CheckFrontOptions } from "./check-front.ts";
import { toServerOptions } from "./check-limits.ts";
import { CHECK_SERVICE, checkImplementation } from "./check-rpc.ts";
import { HEALTH_SERVICE, healthImplementation } from "./health-service.ts";

/** Serves Check and grpc.health.v1 by grpc-js; every other method is UNIMPLEMENTED, there is no reflection. */
export function createGrpcJsFront(options: CheckFrontOptions): CheckFront {
  const server = new Server(toServerOptions(options.limits));
  server.addService(CHECK_SERVICE, checkImplementation(options));
  server.addService(HEALTH_SERVICE, healthImplementation(options.status));
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept: (socket) => injector.injectConnection(socket),
    // Its callback comes too early where the socket is not grpc-js's own; the listening socket knows better.
    leave: () => server.tryShutdown(() => undefined),
    end: () => server.forceShutdown(),
  };
}
