import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Checks, ReadinessCheck } from "../checks.ts";
import { Providers } from "../custom/providers.ts";
import { PolicyState } from "../state.ts";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import type { WorkloadLookup } from "../workload-directory.ts";
import { createCheckHandler } from "./check-service.ts";
import { ConnectionRoom } from "./connection-room.ts";
import { type CheckServer, type CheckServerOptions, type DrainTimes, startCheckServer } from "./grpc-server.ts";
import { listen } from "./listen.ts";
import { ServingStatus } from "./serving-status.ts";

export interface LocalChecksOptions extends Omit<CheckServerOptions, "handler" | "status" | "metrics"> {
  readonly metrics: CheckMetrics;
  /** With these metrics. */
  readonly registry: Registry;
  readonly log: Logger;
  readonly auditLog?: Logger | undefined;
  /** At once, over all listeners. */
  readonly maxConnections: number;
  /** Hears of tokens that may be signed with a key that the key set of this name lacks. */
  readonly onUnknownKey: (keySet: string) => void;
  /** Finds the workload of `gatehouse-workload: auto`; null: such requests are denied. */
  readonly workloads: WorkloadLookup | null;
  /** Wall clock in milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Answers checks in this process: policy, providers and gRPC front together. */
export class LocalChecks implements Checks {
  readonly state: PolicyState = new PolicyState();
  readonly #options: LocalChecksOptions;
  readonly #status = new ServingStatus();
  readonly #providers: Providers;
  readonly #room: ConnectionRoom;
  #server: CheckServer | null = null;
  #isStopped = false;

  constructor(options: LocalChecksOptions) {
    this.#options = options;
    this.#providers = new Providers(options);
    this.#room = new ConnectionRoom(options.maxConnections, () => options.metrics.connectionCut("no_room"));
  }

  applied(isComplete: boolean): void {
    // Policy goes on arriving after the last answer; no connection may be left open for it.
    if (!this.#isStopped) this.#providers.update(this.state.current?.set.providers ?? new Map());
    if (isComplete) this.#status.ready();
  }

  /** Whoever reads `state` sees the new policy at once. */
  settled(): Promise<void> {
    return Promise.resolve();
  }

  withdraw(): void {
    this.state.withdraw();
    this.#status.unready();
  }

  async start(): Promise<readonly string[]> {
    const status = this.#status;
    const { ask: askProvider } = this.#providers;
    const handler = createCheckHandler({ ...this.#options, state: this.state, askProvider });
    this.#server = await startCheckServer({
      ...this.#options,
      handler,
      status,
      listen: this.#room.within(this.#options.listen ?? listen),
    });
    return this.#server.addresses;
  }

  readiness(): readonly ReadinessCheck[] {
    if (this.#status.isDraining) return [{ name: "checks", ok: false, message: "draining" }];
    const addresses = this.#server?.addresses.join(", ");
    if (addresses === undefined) return [{ name: "checks", ok: false, message: "starting" }];
    return [{ name: "checks", ok: true, message: `answered on ${addresses}` }, this.#room.readiness()];
  }

  metrics(): Promise<string> {
    return this.#options.registry.metrics();
  }

  /** @param drain default: as in the options */
  async stop(drain?: DrainTimes): Promise<void> {
    await this.#server?.stop(drain);
    this.#isStopped = true;
    this.#providers.stop();
  }
}
