import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureVersion } from "node:tls";

/** A server of key sets that misbehaves on command. */
export interface KeyIssuer {
  /** `http://127.0.0.1:PORT` or `https://...`. */
  readonly origin: string;
  /** Paths asked for so far. */
  readonly asked: readonly string[];
  /** What it does with a request from now on. */
  answer(listener: RequestListener): void;
  /** Answers every request with this text and these headers. */
  say(body: string, headers?: Readonly<Record<string, string>>): void;
  /** Takes connections and never says anything. */
  hang(): void;
  /** Cuts each connection as soon as it is asked for something. */
  drop(): void;
  stop(): Promise<void>;
}

/** How it is reached. */
export interface KeyIssuerOptions {
  /** A file of `tls/`; omitted: plain HTTP. */
  readonly certificate?: "server" | "wrong-name" | "expired";
  /** The newest that it speaks. */
  readonly maxVersion?: SecureVersion;
}

/** The certificate authority of `tls/`. */
export const TEST_CA_FILE: string = new URL("tls/ca.pem", import.meta.url).pathname;

/** Starts one that answers 404. */
export async function startKeyIssuer(options: KeyIssuerOptions = {}): Promise<KeyIssuer> {
  const asked: string[] = [];
  let listener: RequestListener = (_request, response) => void response.writeHead(404).end();
  const handle: RequestListener = (request, response) => {
    asked.push(request.url ?? "");
    listener(request, response);
  };
  const server = createListener(options, handle);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined); // clients give up; that is what is tested
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the issuer has no port");
  return {
    origin: `${options.certificate === undefined ? "http" : "https"}://127.0.0.1:${address.port}`,
    asked,
    answer(next) {
      listener = next;
    },
    say(body, headers = {}) {
      listener = (_request, response) => void response.writeHead(200, headers).end(body);
    },
    hang() {
      listener = () => undefined;
    },
    drop() {
      listener = (request) => void request.socket.destroy();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function createListener({ certificate, maxVersion }: KeyIssuerOptions, handle: RequestListener): Server {
  if (certificate === undefined) return createServer(handle);
  const pem = readFileSync(new URL(`tls/${certificate}.pem`, import.meta.url));
  // Old versions need old ciphers, which OpenSSL hides by default.
  const old =
    maxVersion === undefined ? {} : ({ minVersion: "TLSv1", maxVersion, ciphers: "ALL:@SECLEVEL=0" } as const);
  return createTlsServer({ key: pem, cert: pem, ...old }, handle);
}
