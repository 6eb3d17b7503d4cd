import { request } from "node:http";

/** One HTTP request to an Envoy of the cluster. */
export interface Question {
  /** IP address of a Service or a pod. */
  readonly address: string;
  /** Default 80. */
  readonly port?: number;
  readonly method?: string;
  /** Default /headers. */
  readonly path?: string;
  /** Default httpbin.example.com. */
  readonly host?: string;
  /** Sent as `Authorization: Bearer ...`. */
  readonly token?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly authenticate?: string;
}

/** Sends it over a connection of its own. */
export function ask(question: Question): Promise<Answer> {
  const { address, port = 80, method = "GET", path = "/headers", host = "httpbin.example.com", token } = question;
  const headers = { host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  // Also while the connection is being made, which the timeout of a request does not cover.
  const signal = AbortSignal.timeout(6_000);
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: address, port, method, path, headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const authenticate = response.headers["www-authenticate"];
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          ...(authenticate === undefined ? {} : { authenticate }),
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
