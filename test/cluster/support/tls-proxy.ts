import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import { createInterface } from "node:readline";
import { createTestAuthority } from "../../support/certificates.ts";

/** A proxy that ends TLS in front of an API server and so can change what watches say, and hold a request back. All else passes as it is. */
export interface TlsProxy {
  /** On 127.0.0.1, as the server `kubernetes`. */
  readonly port: number;
  /** In PEM: whom to trust for that. */
  readonly authority: string;
  /** Does this, once, to the next line of any watch that contains the text. Resolves when it is done. */
  spoil(text: string, fault: WatchFault): Promise<void>;
  /** Holds back, once, the next request whose path and query contain the text. Resolves when it is there. */
  hold(text: string): Promise<HeldRequest>;
  stop(): Promise<void>;
}

/** A request that has not reached the API server yet. */
export interface HeldRequest {
  /** Lets it go. Resolves with the status of the answer. */
  release(): Promise<number>;
}

/** What is sent in place of a line, and whether the watch then goes on, ends in good order, or loses its connection. */
export interface WatchFault {
  readonly send: (line: string) => string;
  readonly after: "go on" | "end" | "cut";
}

interface Order extends WatchFault {
  readonly text: string;
  readonly done: () => void;
}

interface Hold {
  readonly text: string;
  readonly isThere: (held: HeldRequest) => void;
}

/** Starts one on a free port. @param target port of the API server on 127.0.0.1, and its CA in PEM */
export async function startTlsProxy(target: { readonly port: number; readonly ca: string }): Promise<TlsProxy> {
  const authority = await createTestAuthority();
  const { certificate, privateKey } = await authority.issue({ name: "kubernetes", usage: "server" });
  const orders = new Set<Order>();
  const holds = new Set<Hold>();
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, answered: (status: number) => void): void => {
    const { method = "GET", url: path = "/", headers } = incoming;
    const upstream = { host: "127.0.0.1", ...target, servername: "kubernetes", method, path, headers };
    const asked = request(upstream, (answer) => {
      answered(answer.statusCode ?? 0);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (path.includes("watch=true")) return void passLines(answer, outgoing, orders);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
    });
    asked.on("error", () => outgoing.destroy());
    outgoing.on("close", () => asked.destroy());
    incoming.pipe(asked);
  };
  const server = createServer({ cert: certificate, key: privateKey }, (incoming, outgoing) => {
    const hold = [...holds].find(({ text }) => incoming.url?.includes(text));
    if (hold === undefined) return void forward(incoming, outgoing, () => undefined);
    holds.delete(hold);
    hold.isThere({ release: () => new Promise((answered) => void forward(incoming, outgoing, answered)) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    authority: authority.certificate,
    spoil: (text, fault) => new Promise((done) => void orders.add({ ...fault, text, done })),
    hold: (text) => new Promise((isThere) => void holds.add({ text, isThere })),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function passLines(from: IncomingMessage, to: ServerResponse, orders: Set<Order>): void {
  to.flushHeaders();
  let isOver = false;
  const lines = createInterface({ input: from });
  lines.on("error", () => to.destroy());
  lines.on("line", (line) => {
    if (isOver) return;
    const order = [...orders].find(({ text }) => line.includes(text));
    if (order === undefined) return void to.write(`${line}\n`);
    orders.delete(order);
    isOver = order.after !== "go on";
    // What was sent must be on its way before the connection is lost, or it would only be a lost connection.
    to.write(order.send(line), () => {
      if (order.after === "end") to.end();
      if (order.after === "cut") to.destroy();
      order.done();
    });
  });
  from.on("end", () => to.end());
}
