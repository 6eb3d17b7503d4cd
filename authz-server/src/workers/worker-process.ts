import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import process from "node:process";
import type { Logger } from "pino";
import { afterAwake } from "./awake-timer.ts";
import { type FromWorker, isMessage, type ToWorker, type WorkerAnswer } from "./messages.ts";

export interface WorkerProcessOptions {
  /** Module that runs in the process; it calls `runCheckWorker`. */
  readonly entry: URL;
  readonly args: readonly string[];
  /** Options of Node, besides our own. */
  readonly execArgv: readonly string[];
  /** Connections that it has at the most. */
  readonly maxConnections: number;
  /** One that does not react for that many milliseconds is killed. */
  readonly hungAfterMs: number;
  /** Hears of tokens that may be signed with a key that the key set of this name lacks. */
  readonly onUnknownKey: (keySet: string) => void;
  /** Gets a connection back that the worker had not taken when it ended. */
  readonly onReturned: (listener: number, socket: Socket) => void;
  readonly log: Logger;
}

interface HandOver {
  readonly listener: number;
  readonly socket: Socket;
}

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

const PING_MS = 2000;
/** Connections that one worker has not taken yet. A flood of them must not hold up policy, which comes on the same way. */
const MAX_HANDING_OVER = 256;

/** A child process, and what is said to it. */
export class WorkerProcess {
  /** Resolves when it is gone, however it went. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #options: WorkerProcessOptions;
  readonly #unanswered = new Map<number, (answer: WorkerAnswer | null) => void>();
  readonly #handingOver = new Map<number, HandOver>();
  #lastId = 0;
  #isGone = false;
  #connections = 0;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const { args, entry } = options;
    this.#child = fork(entry, [...args], {
      execArgv: nodeOptions(options),
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.exited = this.#watchExit();
    this.#child.on("message", (message: unknown) => {
      if (isMessage<FromWorker>(message)) this.#receive(message);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** How many connections it serves. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether it can be given one more. */
  get hasRoom(): boolean {
    return this.#connections < this.#options.maxConnections && this.#handingOver.size < MAX_HANDING_OVER;
  }

  post(message: ToWorker): void {
    // A worker that is gone needs no message; its end is told by `exited`.
    this.#child.send(message, () => undefined);
  }

  /**
   * @param toMessage gets the id of the request
   * @param limitMs a worker that needs longer is killed
   * @returns null when the worker ended before it answered; never rejects
   */
  request(toMessage: (id: number) => ToWorker, limitMs: number): Promise<WorkerAnswer | null> {
    if (this.#isGone) return Promise.resolve(null);
    this.#lastId += 1;
    const message = toMessage(this.#lastId);
    return new Promise((resolve) => {
      const endWait = afterAwake(limitMs, () => this.kill({ unanswered: message.kind, limitMs }));
      this.#unanswered.set(this.#lastId, (answer) => {
        endWait();
        resolve(answer);
      });
      this.post(message);
    });
  }

  /** Asks from now on, again and again, whether it still lives. */
  watch(): void {
    const { hungAfterMs } = this.#options;
    const ping = async (): Promise<void> => {
      const answer = await this.request((id) => ({ kind: "ping", id }), hungAfterMs);
      if (answer === null) return;
      setTimeout(() => void ping(), PING_MS).unref(); // never rejects
    };
    void ping(); // never rejects
  }

  /** Gives a connection away; there has to be room. @param socket paused since it was accepted */
  handOver(listener: number, socket: Socket): void {
    this.#connections += 1;
    this.#lastId += 1;
    this.#handingOver.set(this.#lastId, { listener, socket });
    const message: ToWorker = { kind: "connection", id: this.#lastId, listener };
    // Kept open here too until it has arrived. A failure to send is the end of the worker, which is told by `exited`.
    this.#child.send(message, socket, { keepOpen: true }, () => undefined);
  }

  /** @param why for the log */
  kill(why: Readonly<Record<string, unknown>>): void {
    this.#options.log.error({ worker: this.pid, ...why }, "a worker is killed");
    this.#child.kill("SIGKILL");
  }

  async #watchExit(): Promise<WorkerExit> {
    const exit = await new Promise<WorkerExit>((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.on("error", (error) => {
        this.#options.log.error({ worker: this.pid, err: error }, "a worker process fails");
        if (this.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    this.#isGone = true;
    for (const answer of this.#unanswered.values()) answer(null);
    for (const { listener, socket } of this.#handingOver.values()) this.#options.onReturned(listener, socket);
    return exit;
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "answer": {
        this.#unanswered.get(message.id)?.(message.answer);
        this.#unanswered.delete(message.id);
        return;
      }
      case "unknownKey":
        this.#options.onUnknownKey(message.keySet);
        return;
      case "taken":
        this.#handingOver.get(message.id)?.socket.destroy(); // closes our end of it only
        this.#handingOver.delete(message.id);
        return;
      case "closed":
        this.#connections -= 1;
    }
  }
}

/** A clone runs from source. A debugger's port can't be shared. */
function nodeOptions({ entry, execArgv }: WorkerProcessOptions): string[] {
  const own = process.execArgv.filter((argument) => !argument.startsWith("--inspect"));
  const conditions = entry.pathname.endsWith(".ts") ? ["--conditions=source"] : [];
  return [...own, ...conditions, ...execArgv];
}
