import { request as httpRequest } from "node:http";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type RunningAdmin, startAdmin } from "../../cli/src/admin.ts";

/** What the admin port answered. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

/** Starts the admin port alone. @param metrics what `/metrics` shows */
export function startTestAdmin(metrics: () => Promise<string>): Promise<RunningAdmin> {
  const registry = new Registry();
  Object.defineProperty(registry, "metrics", { value: metrics });
  const readiness = () => ({ checks: [], version: null });
  return startAdmin({ host: "127.0.0.1", port: 0, registry, readiness, log: pino({ level: "silent" }) });
}

/** Asks for a path exactly as it is written: `fetch` would resolve `..`. */
export function getVerbatim(url: string, path: string): Promise<AdminAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          contentType: response.headers["content-type"] ?? "",
        }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}
