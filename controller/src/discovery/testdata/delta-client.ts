import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse__Output,
  decodeResource,
  encodeUnenforceableResources,
  loadDiscovery,
  POLICY_RESOURCE_TYPE_URL,
  UNENFORCEABLE_RESOURCES_TYPE_URL,
  type UnenforceableResource,
} from "@gatehouse/protos/wire";
import { credentials, type StatusObject } from "@grpc/grpc-js";
import { expect } from "vitest";
import type { Fleet } from "../fleet.ts";

/** What a test looks at in one response. */
export interface ReceivedResponse {
  readonly nonce: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
  /** `meta.unenforceable` by resource name. */
  readonly unenforceable: Readonly<Record<string, string>>;
}

const Client = loadDiscovery();

/** Opens a real delta stream; nothing is sent until the test says so. */
export function openDeltaStream(address: string, nodeId: string): DeltaClient {
  return new DeltaClient(address, nodeId);
}

/** A client of a real server, for tests: it remembers what it acknowledged, and answers only when told. */
export class DeltaClient {
  readonly nodeId: string;
  /** Versions by name of what was acknowledged. */
  readonly versions: Map<string, string> = new Map();
  /** Status that ended the stream. */
  readonly ended: Promise<StatusObject>;
  /** Responses that have arrived. */
  received = 0;
  readonly #client: InstanceType<typeof Client>;
  readonly #call: ReturnType<InstanceType<typeof Client>["DeltaAggregatedResources"]>;
  readonly #arrived: DeltaDiscoveryResponse__Output[] = [];
  readonly #waiting: ((response: DeltaDiscoveryResponse__Output) => void)[] = [];
  #last: DeltaDiscoveryResponse__Output | null = null;

  constructor(address: string, nodeId: string) {
    this.nodeId = nodeId;
    this.#client = new Client(address, credentials.createInsecure());
    this.#call = this.#client.DeltaAggregatedResources();
    this.#call.on("data", (response: DeltaDiscoveryResponse__Output) => {
      this.received += 1;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#arrived.push(response);
      else waiting(response);
    });
    this.#call.on("error", () => undefined); // the status says it too
    this.ended = new Promise((resolve) => this.#call.on("status", resolve));
  }

  send(request: DeltaDiscoveryRequest): void {
    this.#call.write(request);
  }

  subscribe(names: readonly string[], initial: Readonly<Record<string, string>> = {}): void {
    this.send({
      node: { id: this.nodeId },
      typeUrl: POLICY_RESOURCE_TYPE_URL,
      resourceNamesSubscribe: [...names],
      initialResourceVersions: Object.entries(initial).map(([key, value]) => ({ key, value })),
    });
  }

  /** The next response. */
  async response(): Promise<ReceivedResponse> {
    return read(await this.#next());
  }

  /** Names of the resources of the next response, of whatever type. */
  async responseNames(): Promise<readonly string[]> {
    return (await this.#next()).resources.map(({ name }) => name);
  }

  async #next(): Promise<DeltaDiscoveryResponse__Output> {
    const response = this.#arrived.shift() ?? (await new Promise<DeltaDiscoveryResponse__Output>((resolve) => this.#waiting.push(resolve)));
    this.#last = response;
    return response;
  }

  /** Accepts the response read last. */
  ack(): void {
    for (const { name, version } of this.#last?.resources ?? []) this.versions.set(name, version);
    for (const name of this.#last?.removedResources ?? []) this.versions.delete(name);
    this.send({ typeUrl: POLICY_RESOURCE_TYPE_URL, responseNonce: this.#last?.nonce ?? "" });
  }

  /** Refuses the response read last. */
  nack(resources: readonly UnenforceableResource[]): void {
    this.nackWith(encodeUnenforceableResources(resources));
  }

  /** Refuses the response read last, with any bytes for a detail. */
  nackWith(detail: Uint8Array): void {
    this.send({
      typeUrl: POLICY_RESOURCE_TYPE_URL,
      responseNonce: this.#last?.nonce ?? "",
      errorDetail: {
        code: 3,
        message: "cannot enforce",
        details: [{ type_url: UNENFORCEABLE_RESOURCES_TYPE_URL, value: detail }],
      },
    });
  }

  /** Resolves when the server has taken in the first request. */
  async isConnected(fleet: Fleet): Promise<void> {
    await expect.poll(() => fleet.members().map(({ nodeId }) => nodeId)).toContain(this.nodeId);
  }

  /** Resolves when the server has taken in the last ACK. */
  async hasAcked(fleet: Fleet): Promise<void> {
    const acked = () => fleet.members().find(({ nodeId }) => nodeId === this.nodeId)?.ackedVersion;
    await expect.poll(acked).toBe(this.#last?.systemVersionInfo);
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}

function read(response: DeltaDiscoveryResponse__Output): ReceivedResponse {
  const resources = response.resources.map(({ name, resource }) => {
    const decoded = decodeResource(resource === null || !("value" in resource) ? new Uint8Array() : resource.value);
    return [name, "meta" in decoded ? decoded.meta.unenforceable : ""] as const;
  });
  return {
    nonce: response.nonce,
    version: response.systemVersionInfo,
    names: response.resources.map(({ name }) => name),
    removed: response.removedResources,
    unenforceable: Object.fromEntries(resources),
  };
}
