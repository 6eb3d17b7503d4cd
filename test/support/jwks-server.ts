import { once } from "node:events";
import { createServer } from "node:http";

/** An issuer's key server that always answers the same, on loopback. */
export interface JwksServer {
  /** Any path below it will do. */
  readonly uri: string;
  requests(): number;
  stop(): void;
}

/** @param text of the key set */
export async function startJwksServer(text: string): Promise<JwksServer> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the key server has no port");
  return { uri: `http://127.0.0.1:${address.port}/keys`, requests: () => requests, stop: () => server.close() };
}
