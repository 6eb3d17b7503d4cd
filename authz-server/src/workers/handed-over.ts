import type { Socket } from "node:net";
import type { Listen, Listening } from "../server/listen.ts";

/** The connections that a worker is given, in place of a listening socket. */
export class HandedOver {
  readonly #listeners: ((socket: Socket) => void)[] = [];
  readonly #onClosed: () => void;

  /** @param onClosed called once for each connection that has ended */
  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  /** @param listener which of those that were opened, from 0 */
  accept(listener: number, socket: Socket): void {
    socket.once("close", this.#onClosed);
    // Without a listener a reset connection would end the process.
    socket.on("error", () => socket.destroy());
    const accept = this.#listeners[listener];
    if (accept === undefined) socket.destroy();
    else accept(socket);
  }

  /** Opens the next listener. */
  readonly listen: Listen = (address, onConnection) => {
    const sockets = new Set<Socket>();
    const closed = Promise.withResolvers<void>();
    let isClosing = false;
    this.#listeners.push((socket) => {
      if (isClosing) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        if (isClosing && sockets.size === 0) closed.resolve();
      });
      onConnection(socket);
    });
    const listening: Listening = {
      address,
      close() {
        isClosing = true;
        if (sockets.size === 0) closed.resolve();
        return closed.promise;
      },
      destroyConnections() {
        for (const socket of sockets) socket.destroy();
      },
    };
    return Promise.resolve(listening);
  };
}
