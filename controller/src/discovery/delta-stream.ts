import {
  type DeltaDiscoveryRequest__Output,
  type DeltaDiscoveryResponse,
  POLICY_RESOURCE_TYPE_URL,
  WORKLOAD_TYPE_URL,
} from "@gatehouse/protos/wire";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { ControllerMetrics } from "../telemetry/metrics.ts";
import { fromWire, toWire } from "./delta-messages.ts";
import type { Fleet } from "./fleet.ts";
import { type PublishedSet, type Receipt, Session, type SessionRequest } from "./session.ts";

/** The server's side of one call of DeltaAggregatedResources. */
export type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest__Output, DeltaDiscoveryResponse>;

/** What all streams share. */
export interface StreamContext {
  /** The published set; null until the first publish. */
  readonly published: () => PublishedSet | null;
  /** Who stands behind which address; null until that is known. Left out: nobody finds out, and whoever asks is refused. */
  readonly workloads?: () => PublishedSet | null;
  readonly fleet: Fleet;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  /** Servers ask for these key sets by name: they saw a token with a key that the set lacks. */
  readonly onKeySetHint: (names: readonly string[]) => void;
}

/** Largest message either way; one response is one message, never split. */
export const MAX_MESSAGE_BYTES: number = 64 * 1024 * 1024;

const MAX_NAMES = 10_000;
const MAX_NODE_ID_LENGTH = 200;

/** One delta stream: a gRPC call with the session that decides what is sent on it. */
export class DeltaStream {
  readonly #id: number;
  readonly #call: DeltaCall;
  readonly #context: StreamContext;
  readonly #session = new Session();
  #log: Logger;
  /** Of all resources of this stream; null before the first request. */
  #type: string | null = null;
  #isKnown = false;
  #isWriting = false;
  #isClosed = false;

  /** @param onClosed called once, whoever ended the stream */
  constructor(id: number, call: DeltaCall, context: StreamContext, onClosed: () => void) {
    this.#id = id;
    this.#call = call;
    this.#context = context;
    this.#log = context.log;
    call.on("data", (request: DeltaDiscoveryRequest__Output) => this.#guard(() => this.#receive(request)));
    call.on("end", () => {
      this.#close(onClosed);
      call.end();
    });
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => this.#close(onClosed));
  }

  /** Sends what the client lacks, unless it still owes an answer or has not read what was sent. */
  offer(): void {
    this.#guard(() => {
      this.#send();
      this.#tellProgress();
    });
  }

  /** Ends the stream with an error status. */
  fail(code: status, details: string): void {
    if (!this.#isClosed) this.#call.emit("error", { code, details });
  }

  // The one catch-all of a stream: a bug in handling one client must not end the others.
  #guard(action: () => void): void {
    if (this.#isClosed) return;
    try {
      action();
    } catch (err) {
      this.#log.error({ err }, "delta stream failed");
      this.fail(status.INTERNAL, "internal error, see the controller's log");
    }
  }

  #receive(message: DeltaDiscoveryRequest__Output): void {
    if (!this.#chooseType(message.typeUrl)) {
      const served = `this stream has ${this.#type ?? this.#servedTypes().join(" or ")}`;
      this.fail(
        status.INVALID_ARGUMENT,
        `unknown type_url ${JSON.stringify(message.typeUrl.slice(0, 200))}; ${served}`,
      );
      return;
    }
    if (!this.#isKnown) this.#introduce(message.node?.id ?? "");
    const request = fromWire(message);
    this.#report(this.#session.receive(request, this.#published()));
    if (this.#session.subscribedNames > MAX_NAMES) {
      this.fail(status.RESOURCE_EXHAUSTED, `more than ${MAX_NAMES} names subscribed; subscribe to "*" instead`);
      return;
    }
    this.#hint(request);
    this.#send();
    this.#tellProgress();
  }

  /** The first request decides: a stream has one type, so that no workload waits for policy, nor policy for workloads. */
  #chooseType(typeUrl: string): boolean {
    if (this.#type === null && this.#servedTypes().includes(typeUrl)) this.#type = typeUrl;
    return this.#type === typeUrl;
  }

  #servedTypes(): readonly string[] {
    return [POLICY_RESOURCE_TYPE_URL, ...(this.#context.workloads === undefined ? [] : [WORKLOAD_TYPE_URL])];
  }

  #published(): PublishedSet | null {
    return (this.#type === WORKLOAD_TYPE_URL ? this.#context.workloads?.() : this.#context.published()) ?? null;
  }

  /** The fleet is those that enforce policy; each of them has a stream of policy. */
  get #isOfFleet(): boolean {
    return this.#isKnown && this.#type === POLICY_RESOURCE_TYPE_URL;
  }

  #tellProgress(): void {
    if (this.#isOfFleet && !this.#isClosed) this.#context.fleet.progressed(this.#id, this.#session.progress);
  }

  #introduce(nodeId: string): void {
    this.#isKnown = true;
    const node = nodeId.slice(0, MAX_NODE_ID_LENGTH) || `stream-${this.#id}`;
    this.#log = this.#context.log.child({ node });
    if (!this.#isOfFleet) return;
    this.#context.fleet.connected(this.#id, node);
    this.#log.info("authz-server connected");
  }

  #hint(request: SessionRequest): void {
    const names = request.subscribe.filter((name) => name.startsWith("KeySet/"));
    if (names.length > 0) this.#context.onKeySetHint(names);
  }

  #report(receipt: Receipt): void {
    const { fleet, metrics } = this.#context;
    if (receipt.kind === "ack") {
      if (this.#isOfFleet) fleet.acked(this.#id, receipt.version);
      this.#log.debug({ version: receipt.version }, "policy acknowledged");
    }
    if (receipt.kind !== "nack") return;
    const { version, refusal, marked, isHeld } = receipt;
    metrics.nacks.inc();
    const resources = refusal.resources.map(({ name }) => name);
    if (this.#isOfFleet) fleet.nacked(this.#id, { version, message: refusal.message, resources });
    const outcome = isHeld
      ? "authz-server refused a change and keeps its old policy until the change is corrected"
      : "authz-server can't enforce some resources; it is told to deny in their scope";
    this.#log.warn({ version, reason: refusal.message, resources: refusal.resources.slice(0, 20), marked }, outcome);
  }

  #send(): void {
    const published = this.#published();
    if (published === null || this.#isWriting || this.#isClosed) return;
    const response = this.#session.next(published);
    if (response === null) return;
    const bytes = response.resources.reduce((sum, resource) => sum + resource.bytes.length, 0);
    if (bytes > MAX_MESSAGE_BYTES) {
      this.#log.error({ bytes, limit: MAX_MESSAGE_BYTES }, "policy too large for one message; reduce the policy set");
      this.fail(status.RESOURCE_EXHAUSTED, `policy of ${bytes} bytes exceeds the limit of ${MAX_MESSAGE_BYTES}`);
      return;
    }
    this.#context.metrics.resourcesSent.inc(response.resources.length + response.removed.length);
    this.#isWriting = true;
    this.#call.write(toWire(response, this.#type ?? POLICY_RESOURCE_TYPE_URL), () => {
      this.#isWriting = false;
      this.offer();
    });
  }

  #close(onClosed: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    onClosed();
    if (!this.#isOfFleet) return;
    this.#context.fleet.disconnected(this.#id);
    this.#log.info("authz-server disconnected");
  }
}
