/** One connected authz-server, as the controller sees it. */
export interface FleetMember {
  /** `node.id` as the server gave it. */
  readonly nodeId: string;
  /** Version of the whole set that it acknowledged last; empty before the first ACK. */
  readonly ackedVersion: string;
  readonly lastNack: LastNack | null;
}

/** The newest refusal of one server; forgotten when it acknowledges again. */
export interface LastNack {
  readonly version: string;
  readonly message: string;
  readonly resources: readonly string[];
}

/** How many connected servers enforce one version of a resource. */
export interface Programmed {
  readonly connected: number;
  readonly enforcing: number;
}

interface Member {
  readonly nodeId: string;
  readonly known: ReadonlyMap<string, string>;
  ackedVersion: string;
  lastNack: LastNack | null;
}

/**
 * Which servers are connected and what each of them enforces.
 * Keyed by stream, as node ids need not be unique; a server that reconnects may count twice until its old stream is found dead.
 */
export class Fleet {
  readonly #members = new Map<number, Member>();

  /** @param known versions by resource name that this server acknowledged; read, never copied */
  connected(streamId: number, nodeId: string, known: ReadonlyMap<string, string>): void {
    this.#members.set(streamId, { nodeId, known, ackedVersion: "", lastNack: null });
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

  disconnected(streamId: number): void {
    this.#members.delete(streamId);
  }

  /** The connected servers, in the order they came. */
  members(): readonly FleetMember[] {
    return [...this.#members.values()].map(({ nodeId, ackedVersion, lastNack }) => ({
      nodeId,
      ackedVersion,
      lastNack,
    }));
  }

  /** How many connected servers enforce exactly this version of the resource. */
  programmed(resourceName: string, version: string): Programmed {
    const members = [...this.#members.values()];
    const enforcing = members.filter(({ known }) => known.get(resourceName) === version).length;
    return { connected: members.length, enforcing };
  }
}
