import type { Logger } from "pino";
import type { Enforcer, ReadinessCheck } from "../checks.ts";
import type { AuthzServerConfig } from "../config.ts";
import type { DiscoveryMetrics } from "../telemetry/metrics.ts";
import { AgeLimit } from "./age-limit.ts";
import { PolicyApplier, type PolicyChange, type Verdict } from "./apply.ts";
import { runDiscoveryClient } from "./client.ts";
import type { ControllerTls } from "./controller-tls.ts";
import type { KeyHints } from "./key-hints.ts";
import { LastGoodFile } from "./last-good.ts";
import type { PolicySnapshot } from "./policy-snapshot.ts";
import type { WorkloadTaker } from "./workload-applier.ts";
import { runWorkloadStream } from "./workload-stream.ts";

export interface PolicyFeedOptions
  extends Pick<
    AuthzServerConfig,
    "dataDirectory" | "lastGoodIntervalMs" | "maxPolicyAgeMs" | "nodeId" | "backOff" | "nowMs" | "random"
  > {
  readonly controller: string;
  readonly tls: ControllerTls | null;
  readonly enforcer: Enforcer;
  readonly keyHints: KeyHints;
  /** Hears which pod has which address; null: nobody is asked. */
  readonly workloads: WorkloadTaker | null;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
}

/** Brings policy from disk and from the controller to whoever enforces it, keeps it on disk, and takes it away when it is too old. */
export class PolicyFeed {
  readonly #options: PolicyFeedOptions;
  readonly #applier: PolicyApplier;
  readonly #lastGood: LastGoodFile | null;
  readonly #ageLimit: AgeLimit | null;
  readonly #ending = new AbortController();
  #streams: Promise<unknown> = Promise.resolve();
  #isConnected = false;
  /** Of the set that everybody enforces. */
  #settledVersion: string | null = null;

  constructor(options: PolicyFeedOptions) {
    this.#options = options;
    const { enforcer, metrics, log, nowMs, dataDirectory: directory, lastGoodIntervalMs: minIntervalMs } = options;
    this.#lastGood = directory === null ? null : new LastGoodFile({ directory, minIntervalMs, metrics, log });
    this.#applier = new PolicyApplier({
      state: enforcer.state,
      metrics,
      log,
      nowMs,
      onApplied: (applied) => this.#onApplied(applied),
    });
    this.#ageLimit = options.maxPolicyAgeMs === null ? null : this.#limitAge(options.maxPolicyAgeMs);
  }

  /** Version of the policy set that is enforced; null while none is. */
  get setVersion(): string | null {
    return this.#options.enforcer.state.current === null ? null : this.#settledVersion;
  }

  /** What is accepted now; null before the first. */
  snapshot(): PolicySnapshot | null {
    return this.#applier.setVersion === null ? null : this.#applier.snapshot();
  }

  /** Enforces what the last-good file has, if there is one. Never rejects. */
  async restore(): Promise<void> {
    const saved = (await this.#lastGood?.load()) ?? null;
    if (saved === null) return;
    await this.#applier.restore(saved);
    this.#settledVersion = this.#applier.setVersion;
    this.#ageLimit?.confirmed(this.#options.nowMs() - saved.acceptedAtMs);
  }

  /** Opens the streams to the controller, and opens them again for as long as it is not stopped. */
  start(): void {
    const { controller: address, tls, nodeId, metrics, log, backOff, random, workloads } = this.#options;
    const toController = { address, tls, nodeId, metrics, log, backOff, random };
    const { signal } = this.#ending;
    const applier = this.#applier;
    const policy = {
      keyHints: this.#options.keyHints,
      applier: {
        apply: (change: PolicyChange) => this.#apply(change),
        versions: () => applier.versions(),
        get setVersion() {
          return applier.setVersion;
        },
      },
      onConnected: (isConnected: boolean) => {
        this.#isConnected = isConnected;
        this.#ageLimit?.connected(isConnected);
      },
      onRefused: () => this.#ageLimit?.refused(),
    };
    this.#streams = Promise.all([
      runDiscoveryClient({ ...toController, ...policy }, signal),
      workloads === null ? null : runWorkloadStream(toController, workloads, signal),
    ]);
  }

  readiness(): readonly ReadinessCheck[] {
    return [this.#policyCheck(), this.#streamCheck()];
  }

  /** Ends the streams and writes what is still to be written. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#streams;
    await this.#lastGood?.flush();
    this.#ageLimit?.stop();
  }

  /** The controller is told that a change is applied when nobody is judged by what was before it. */
  async #apply(change: PolicyChange): Promise<Verdict> {
    const verdict = await this.#applier.apply(change);
    if (verdict.kind === "refused") return verdict;
    await this.#options.enforcer.settled(change);
    this.#settledVersion = change.setVersion;
    return verdict;
  }

  #onApplied({ isFromDisk, isChanged }: { readonly isFromDisk: boolean; readonly isChanged: boolean }): void {
    this.#options.enforcer.applied(this.#applier.hasMeshConfig);
    if (isFromDisk) return;
    this.#ageLimit?.confirmed(0);
    if (isChanged) this.#lastGood?.changed(() => this.#applier.snapshot());
  }

  /** Without limit the last policy is enforced for as long as the controller is away. */
  #limitAge(maxAgeMs: number): AgeLimit {
    const { enforcer, log } = this.#options;
    return new AgeLimit({
      maxAgeMs,
      monotonicMs: () => performance.now(),
      onTooOld() {
        enforcer.withdraw();
        log.error(
          { maxPolicyAgeMs: maxAgeMs },
          "policy too old; every check fails until the controller is heard again",
        );
      },
      onLost: () => {
        // A restart while the controller is away must not count from the last change, which may be long ago.
        this.#applier.stillWanted();
        this.#lastGood?.changed(() => this.#applier.snapshot());
      },
    });
  }

  #policyCheck(): ReadinessCheck {
    if (this.#ageLimit?.isTooOld === true) return TOO_OLD;
    const version = this.#settledVersion;
    const none = `none received yet from ${this.#options.controller}`;
    if (version === null) return { name: "policy", ok: false, message: none };
    if (!this.#applier.hasMeshConfig) return { name: "policy", ok: false, message: "received without MeshConfig" };
    return { name: "policy", ok: true, message: `enforcing version ${version}` };
  }

  /** Losing the controller does not make a server unready: it goes on enforcing what it has. */
  #streamCheck(): ReadinessCheck {
    const { controller } = this.#options;
    const isLost = `not connected to ${controller}; policy may be stale`;
    return { name: "stream", ok: true, message: this.#isConnected ? `connected to ${controller}` : isLost };
  }
}

const TOO_OLD: ReadinessCheck = {
  name: "policy",
  ok: false,
  message: "too old: the controller was not heard for longer than --max-policy-age-seconds",
};
