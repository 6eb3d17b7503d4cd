import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A proxy between a client and a server that fails on command. It knows nothing of what passes, TLS included. */
export interface TcpProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Connections that are open, and how many there have been. */
  readonly open: number;
  readonly accepted: number;
  /** Bytes pass in both directions, after `delayMs` (default 0). Also heals what was done before. */
  pass(delayMs?: number): void;
  /**
   * Nothing passes any more, and nobody is told: open connections stay open, new ones are accepted and never answered. What was
   * swallowed is lost, so connections of this time are cut by `pass`.
   */
  blackHole(): void;
  /** New connections are reset as soon as they are made; open ones are reset now. */
  refuse(): void;
  /** Resets the connections that are open now. */
  cut(): void;
  stop(): Promise<void>;
}

/** Starts one on a free port. @param target port on 127.0.0.1 */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let mode: "pass" | "black hole" | "refuse" = "pass";
  let delayMs = 0;
  let accepted = 0;
  let hasSwallowed = false;
  const pairs = new Set<readonly [Socket, Socket]>();
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  const forward = (from: Socket, to: Socket): void => {
    const later = (action: () => void): void => void (delayMs > 0 ? setTimeout(action, delayMs) : action());
    from.on("data", (bytes: Buffer) => {
      if (mode === "pass") later(() => to.write(bytes));
      else hasSwallowed = true;
    });
    from.on("end", () => mode === "pass" && later(() => to.end()));
    from.on("close", () => mode === "pass" && later(() => to.destroy()));
    // The other side is told by the close that follows.
    from.on("error", () => undefined);
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1;
    if (mode === "refuse") return void client.resetAndDestroy();
    const upstream = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on("close", () => pairs.delete(pair));
    for (const socket of pair) socket.setNoDelay(true);
    forward(client, upstream);
    forward(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    pass: (delay = 0) => {
      if (hasSwallowed) cut();
      hasSwallowed = false;
      delayMs = delay;
      mode = "pass";
    },
    blackHole: () => {
      mode = "black hole";
      hasSwallowed = true;
    },
    refuse: () => {
      mode = "refuse";
      cut();
    },
    cut,
    stop: async () => {
      server.close();
      cut();
      await Promise.resolve();
    },
  };
}
