import type { Socket } from "node:net";
import type { ReadinessCheck } from "../checks.ts";
import type { Listen } from "./listen.ts";

/**
 * Room for so many connections and no more, over all listeners of a process. Whoever comes beyond it is closed at once, so that Envoy asks another
 * replica instead of waiting here; memory and open files are left for those who are in.
 */
export class ConnectionRoom {
  readonly #max: number;
  readonly #onRefused: () => void;
  #open = 0;

  /** @param onRefused called for each connection that found no room */
  constructor(max: number, onRefused: () => void) {
    this.#max = max;
    this.#onRefused = onRefused;
  }

  /** The same listening sockets, with connections that found room. */
  within(listen: Listen): Listen {
    return (address, onConnection) =>
      listen(address, (socket) => {
        if (this.#take(socket)) onConnection(socket);
      });
  }

  readiness(): ReadinessCheck {
    return connectionsCheck(this.#open, this.#max);
  }

  /** @returns false: there is no room, and the connection is closed; true: it has a place until it ends */
  #take(socket: Socket): boolean {
    if (this.#open >= this.#max) {
      socket.destroy();
      this.#onRefused();
      return false;
    }
    this.#open += 1;
    socket.once("close", () => {
      this.#open -= 1;
    });
    return true;
  }
}

/**
 * Without room for one more connection a server is not ready: new clients have to go elsewhere. Those who are connected hear nothing of it, as they
 * are answered: for them it goes on to be SERVING, or all Envoys would leave one full server after the other.
 */
export function connectionsCheck(open: number, max: number): ReadinessCheck {
  const ok = open < max;
  return { name: "connections", ok, message: `${open} of ${max} are open${ok ? "" : "; new ones are refused"}` };
}
