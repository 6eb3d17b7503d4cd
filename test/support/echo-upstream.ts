import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HeaderLine } from "./raw-http.ts";

/** What an upstream saw of one request. */
export interface ReceivedRequest {
  /** Which upstream it reached. */
  readonly upstream: string;
  readonly method: string;
  /** The request target as received. */
  readonly path: string;
  readonly authority: string;
  /** All lines but Host, in order, names in lower case. */
  readonly headers: readonly HeaderLine[];
}

/** HTTP services that stand for the clusters of a test; one port each. */
export interface EchoUpstreams {
  readonly names: readonly string[];
  /** Throws for a name that was not started. */
  port(name: string): number;
  /** The requests since the last call, in order of arrival. HEAD has no body, so tests read what arrived from here. */
  takeReceived(): readonly ReceivedRequest[];
  stop(): Promise<void>;
}

/**
 * Starts one echo service a name. Each answers 200 with the ReceivedRequest as JSON and the headers `x-upstream: echo`
 * and `x-up-secret: s3` (which policies of tests remove or keep).
 * @param ports fixed ports by name; others are chosen by the system
 */
export async function startEchoUpstreams(
  names: readonly string[],
  ports: Readonly<Record<string, number>> = {},
): Promise<EchoUpstreams> {
  let received: ReceivedRequest[] = [];
  const servers = new Map<string, Server>();
  for (const name of names) {
    // Lenient, because tests send bytes that Envoy passes on and a strict parser would refuse.
    const server = createServer({ insecureHTTPParser: true, keepAliveTimeout: 60_000 }, (request, response) => {
      const seen = describe(name, request);
      received.push(seen);
      answer(seen, response);
    });
    servers.set(name, server);
    await listen(server, ports[name] ?? 0);
  }
  return {
    names,
    port: (name) => portOf(servers.get(name), name),
    takeReceived: () => {
      const taken = received;
      received = [];
      return taken;
    },
    stop: async () => {
      await Promise.all([...servers.values()].map(close));
    },
  };
}

function describe(upstream: string, request: IncomingMessage): ReceivedRequest {
  const headers: HeaderLine[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers.push([(request.rawHeaders[i] ?? "").toLowerCase(), fromLatin1(request.rawHeaders[i + 1] ?? "")]);
  }
  return {
    upstream,
    method: request.method ?? "",
    path: fromLatin1(request.url ?? ""),
    authority: request.headers.host ?? "",
    headers: headers.filter(([name]) => name !== "host"),
  };
}

// Node hands over header bytes as Latin-1; what was sent is UTF-8.
function fromLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

function answer(seen: ReceivedRequest, response: ServerResponse): void {
  const body = `${JSON.stringify(seen, null, 2)}\n`;
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-upstream": "echo",
    "x-up-secret": "s3",
  });
  response.end(seen.method === "HEAD" ? undefined : body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server | undefined, name: string): number {
  const address: AddressInfo | string | null | undefined = server?.address();
  if (address === null || address === undefined || typeof address === "string") {
    throw new Error(`no echo upstream named ${name} is running`);
  }
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
