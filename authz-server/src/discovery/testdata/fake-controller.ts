import { type AuthorizationPolicy, type PolicyResource, resourceName } from "@gatehouse/protos";
import {
  type DeltaDiscoveryRequest__Output,
  type DeltaDiscoveryResponse,
  encodeResource,
  loadDiscovery,
  POLICY_RESOURCE_TYPE_URL,
  resourceVersion,
} from "@gatehouse/protos/wire";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";

/** One policy stream, seen from the controller. */
export type Stream = ServerDuplexStream<DeltaDiscoveryRequest__Output, DeltaDiscoveryResponse>;

/** An ALLOW policy of namespace foo that allows nothing. */
export function policy(name: string, minReaderVersion = 1): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace: "foo", name, createdAtMs: 0, minReaderVersion, unenforceable: "" },
    target: { kind: "namespace" },
    action: "ALLOW",
    dryRun: false,
    provider: "",
    rules: [],
  };
}

/** The resource as it stands in a response. */
export function envelope(resource: PolicyResource) {
  const bytes = encodeResource(resource);
  return {
    name: resourceName(resource),
    version: resourceVersion(bytes),
    resource: { type_url: POLICY_RESOURCE_TYPE_URL, value: bytes },
  };
}

/** A controller of which the test plays the mind: it sees each stream and each request, and sends what it wants. */
export class FakeController {
  readonly requests = new Queue<DeltaDiscoveryRequest__Output>();
  readonly streams = new Queue<Stream>();
  #server = new Server();

  async listen(address: string): Promise<string> {
    this.#server = new Server({ "grpc.enable_channelz": 1 });
    this.#server.addService(loadDiscovery().service, {
      DeltaAggregatedResources: (stream: Stream) => {
        stream.on("data", (request) => this.requests.push(request));
        stream.on("error", () => undefined);
        stream.on("end", () => stream.end());
        this.streams.push(stream);
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    const port = await promise;
    return address.startsWith("unix:") ? address : `127.0.0.1:${port}`;
  }

  kill(): void {
    this.#server.forceShutdown();
  }
}

/** Items in order; whoever comes first waits. */
export class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item) => void)[] = [];

  push(item: Item): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  next(): Promise<Item> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

/** Sends one response, as set `set-NONCE`. */
export function send(stream: Stream, nonce: string, resources: readonly PolicyResource[], removed: readonly string[] = []) {
  stream.write({
    systemVersionInfo: `set-${nonce}`,
    typeUrl: POLICY_RESOURCE_TYPE_URL,
    nonce,
    resources: resources.map(envelope),
    removedResources: [...removed],
  });
}
