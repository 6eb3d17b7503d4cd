import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP service that fails as its path says: `/status/503/2` answers 503 twice, then 200; `/grpc/14/2` the same for gRPC; `/hang` never. */
export interface UnrulyUpstream {
  readonly port: number;
  /** Requests since the last call. */
  takeCount(): number;
  stop(): Promise<void>;
}

/** Starts it on a port of the system's choice. */
export async function startUnrulyUpstream(): Promise<UnrulyUpstream> {
  let count = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    count += 1;
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    takeCount: () => {
      const taken = count;
      count = 0;
      return taken;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer({ url }: IncomingMessage, response: ServerResponse, count: number): void {
  const [, kind, code, failures] = (url ?? "").split("/");
  if (kind === "hang") return;
  const isFailing = count <= Number(failures);
  if (isFailing && kind === "grpc") response.setHeader("grpc-status", code ?? "");
  response.writeHead(isFailing && kind === "status" ? Number(code) : 200);
  response.end();
}
