import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { UserError } from "./user-error.ts";

/** One condition of being ready. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** One line, or several: each problem on its own. */
  readonly message: string;
}

/** What `/readyz` shows. */
export interface Readiness {
  readonly checks: readonly ReadinessCheck[];
  /** Of the policy set; null before the first. */
  readonly version: string | null;
}

/** Shown until the parts are there. */
export const STARTING: Readiness = { checks: [{ name: "start", ok: false, message: "starting" }], version: null };

export interface AdminOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What `/metrics` shows. */
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly readiness: () => Readiness;
  readonly log: Logger;
}

export interface RunningAdmin {
  /** `http://127.0.0.1:9090` */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves `/healthz` (the process lives), `/readyz` (503 until all checks hold; `?verbose` says which) and `/metrics`.
 * Exact paths, GET and HEAD, plain text, nothing else.
 * @throws {UserError} when the port can't be bound
 */
export async function startAdmin(options: AdminOptions): Promise<RunningAdmin> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, options).then(
      (reply) => send(request, response, reply),
      // A metric that can't be collected is a bug; the scraper sees it, the process goes on.
      () => send(request, response, { status: 500, body: "internal error\n" }),
    );
  });
  const { host } = options;
  const port = await bind(server, host, options.port);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  options.log.info({ url }, "serving /healthz, /readyz and /metrics");
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

async function answer(request: IncomingMessage, options: AdminOptions): Promise<Reply> {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  if (path !== "/healthz" && path !== "/readyz" && path !== "/metrics") return { status: 404, body: "not found\n" };
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, body: "method not allowed\n" };
  switch (path) {
    case "/healthz":
      return { status: 200, body: "ok\n" };
    case "/readyz":
      return readyz(options.readiness(), new URLSearchParams(query).has("verbose"));
    case "/metrics":
      return { status: 200, body: await options.registry.metrics(), contentType: options.registry.contentType };
  }
}

function readyz(readiness: Readiness, isVerbose: boolean): Reply {
  const isReady = readiness.checks.every((check) => check.ok);
  const summary = isReady ? "ok\n" : "not ready\n";
  const status = isReady ? 200 : 503;
  if (!isVerbose) return { status, body: summary };
  const lines = readiness.checks.map(
    ({ name, ok, message }) => `[${ok ? "+" : "-"}] ${name}: ${message.trimEnd().replaceAll("\n", "\n      ")}\n`,
  );
  return { status, body: `${lines.join("")}version: ${readiness.version ?? "none"}\n${summary}` };
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, {
    "content-type": reply.contentType ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(reply.body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(reply.status === 405 ? { allow: "GET, HEAD" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : reply.body);
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? "the address is already in use; stop the process that uses it or choose another --admin-port"
          : error.message;
      reject(new UserError([`cannot listen on ${host}:${port} (admin): ${why}`], 1, { cause: error }));
    };
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
