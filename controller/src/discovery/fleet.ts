import type { SessionProgress } from "./session.ts";

/** One connected authz-server, as the controller sees it. */
export interface FleetMember {
  /** `node.id` as the server gave it. */
  readonly nodeId: string;
  /** Version of the whole set that it acknowledged last; empty before the first ACK. */
  readonly ackedVersion: string;
  readonly lastNack: LastNack | null;
  /** null before its first request was looked at. */
  readonly progress: SessionProgress | null;
}

/** The newest refusal of one server; forgotten when it acknowledges again. */
export interface LastNack {
  readonly version: string;
  readonly message: string;
  readonly resources: readonly string[];
}

interface Member {
  readonly nodeId: string;
  ackedVersion: string;
  lastNack: LastNack | null;
  progress: SessionProgress | null;
}

/**
 * Which servers are connected and what each of them enforces.
 * Keyed by stream, as node ids need not be unique; a server that reconnects may count twice until its old stream is found dead.
 */
export class Fleet {
  readonly #members = new Map<number, Member>();
  readonly #onChange: () => void;

  /** @param onChange called when a server came, went, or got on */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  connected(streamId: number, nodeId: string): void {
    this.#members.set(streamId, { nodeId, ackedVersion: "", lastNack: null, progress: null });
    this.#onChange();
  }

  acked(streamId: number, version: string): void {
    const member = this.#members.get(streamId);
    if (member === undefined) return;
    member.ackedVersion = version;
    member.lastNack = null;
  }

  nacked(streamId: number, nack: LastNack): void {
    const member = this.#members.get(streamId);
    if (member !== undefined) member.lastNack = nack;
  }

  progressed(streamId: number, progress: SessionProgress): void {
    const member = this.#members.get(streamId);
    if (member === undefined) return;
    member.progress = progress;
    this.#onChange();
  }

  disconnected(streamId: number): void {
    this.#members.delete(streamId);
    this.#onChange();
  }

  /** The connected servers, in the order they came. */
  members(): readonly FleetMember[] {
    return [...this.#members.values()].map((member) => ({ ...member }));
  }
}
