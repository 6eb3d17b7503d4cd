import { setTimeout as sleepFor } from "node:timers/promises";
import {
  type AggregatedDiscoveryServiceClient,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse__Output,
  loadDiscovery,
  POLICY_RESOURCE_TYPE_URL,
} from "@gatehouse/protos/wire";
import { type ChannelOptions, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { DiscoveryMetrics } from "../telemetry/metrics.ts";
import type { PolicyApplier } from "./apply.ts";
import { type BackOff, backOffMs } from "./back-off.ts";
import { type ControllerTls, isVerificationError, type SecureAttempt } from "./controller-tls.ts";
import type { KeyHints } from "./key-hints.ts";
import { firstRequest, hintRequest, toAnswer, toChange } from "./messages.ts";

/** Takes the changes of one stream. */
export type ChangeApplier = Pick<PolicyApplier, "apply" | "versions" | "setVersion">;

export interface DiscoveryClientOptions {
  /** gRPC target: `host:port` or `unix:PATH`. */
  readonly address: string;
  /** How both sides prove who they are; left out: they do not. */
  readonly tls?: ControllerTls | null;
  /** Unique among the servers of a controller. */
  readonly nodeId: string;
  readonly applier: ChangeApplier;
  /** What is asked for. Default: policy. */
  readonly typeUrl?: string;
  /** Left out: the controller is not told of unknown keys. */
  readonly keyHints?: KeyHints;
  readonly metrics: Pick<DiscoveryMetrics, "streamConnected" | "nack">;
  readonly log: Logger;
  readonly backOff: BackOff;
  /** From 0 to 1; Math.random outside tests. */
  readonly random: () => number;
  /** Told when the stream opens or is lost. */
  readonly onConnected: (isConnected: boolean) => void;
  /** Told of each change that was refused. */
  readonly onRefused?: () => void;
}

/** Both sides: one response is one message. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  // A stream that died silently is found within 20 s.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 1,
  // Each attempt dials anew: the back-off is ours, and a shared subchannel would bring grpc-js's own.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_channelz": 0,
};

/**
 * Keeps the policy stream to the controller open, in whichever order the two are started, and answers each response
 * with ACK or NACK once it was applied or refused.
 * @param signal ends it
 * @returns resolves when ended; never rejects
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
export async function runDiscoveryClient(options: DiscoveryClientOptions, signal: AbortSignal): Promise<void> {
  const { backOff, random, tls = null } = options;
  let failures = 0;
  while (!signal.aborted) {
    const outcome = await attempt(options, signal);
    if (signal.aborted) return;
    failures = outcome.hasReceived ? 1 : failures + 1;
    const delayMs = Math.round(backOffMs(backOff, failures, random()));
    reportFailure(outcome, delayMs, options);
    await pause(delayMs, tls, signal);
  }
}

async function attempt(options: DiscoveryClientOptions, signal: AbortSignal): Promise<StreamOutcome> {
  const { address, tls = null } = options;
  const secure = tls?.attempt() ?? null;
  if (tls !== null && secure === null) {
    const reason = `no certificate to show: ${tls.source.problem() ?? "none yet"}`;
    return { hasReceived: false, isUnverified: false, reason };
  }
  const channelCredentials = secure?.credentials ?? credentials.createInsecure();
  const client = new (loadDiscovery())(address, channelCredentials, { ...CHANNEL_OPTIONS, ...secure?.options });
  const outcome = await runStream(client, secure, options, signal);
  client.close();
  return outcome;
}

function reportFailure(
  { reason, isUnverified }: StreamOutcome,
  delayMs: number,
  options: DiscoveryClientOptions,
): void {
  const { log, tls = null, address: controller } = options;
  if (!isUnverified) {
    log.warn({ controller, reason, delayMs }, "no policy stream to the controller; trying again");
    return;
  }
  tls?.unverified();
  log.error({ controller, reason, delayMs }, "whoever answers there is not the controller; the policy before goes on");
}

/** Ends early when there are new certificates. */
async function pause(delayMs: number, tls: ControllerTls | null, signal: AbortSignal): Promise<void> {
  const waking = new AbortController();
  const unwatch = tls?.source.onChange(() => waking.abort());
  const ended = AbortSignal.any([signal, waking.signal]);
  await sleepFor(delayMs, undefined, { signal: ended }).catch(() => undefined); // woken: the loop goes on, or ends
  unwatch?.();
}

interface StreamOutcome {
  readonly hasReceived: boolean;
  /** Whoever answered did not prove to be the controller. */
  readonly isUnverified: boolean;
  readonly reason: string;
}

async function runStream(
  client: AggregatedDiscoveryServiceClient,
  secure: SecureAttempt | null,
  options: DiscoveryClientOptions,
  signal: AbortSignal,
): Promise<StreamOutcome> {
  const stream = client.DeltaAggregatedResources();
  const cancel = () => stream.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  let whyCancelled: string | null = null;
  const unwatch = secure?.watch((reason) => {
    whyCancelled = reason;
    stream.cancel();
  });
  let isOpen = true;
  client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => {
    if (!isOpen) return;
    if (error !== undefined && error !== null) stream.cancel();
    else report(true, options);
  });
  let hasReceived = false;
  try {
    stream.write(firstRequest(options.nodeId, options.applier.versions(), typeUrlOf(options)));
    options.keyHints?.connect((keySet) => void stream.write(hintRequest(keySet)));
    for await (const message of stream) {
      hasReceived = true;
      await answer(stream, message, options);
    }
    return { hasReceived, isUnverified: false, reason: "the controller ended the stream" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isUnverified = secure !== null && whyCancelled === null && isVerificationError(message);
    return { hasReceived, isUnverified, reason: whyCancelled ?? message };
  } finally {
    isOpen = false;
    unwatch?.();
    options.keyHints?.connect(null);
    signal.removeEventListener("abort", cancel);
    stream.cancel();
    report(false, options);
  }
}

function report(isConnected: boolean, options: DiscoveryClientOptions): void {
  options.metrics.streamConnected(isConnected);
  options.onConnected(isConnected);
  if (isConnected) options.log.info({ controller: options.address }, "policy stream to the controller is open");
}

async function answer(
  stream: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse__Output>,
  response: DeltaDiscoveryResponse__Output,
  options: DiscoveryClientOptions,
): Promise<void> {
  const { applier, metrics, log } = options;
  if (response.typeUrl !== typeUrlOf(options)) {
    log.warn({ typeUrl: response.typeUrl }, "response of a type that was not asked for; ignored");
    return;
  }
  const verdict = await applier.apply(toChange(response));
  if (verdict.kind === "refused") {
    metrics.nack();
    options.onRefused?.();
    log.error(
      { version: response.systemVersionInfo, enforced: applier.setVersion, errors: verdict.errors.slice(0, 20) },
      "policy change refused; the policy before it goes on",
    );
  }
  stream.write(toAnswer(response, verdict));
}

function typeUrlOf({ typeUrl = POLICY_RESOURCE_TYPE_URL }: DiscoveryClientOptions): string {
  return typeUrl;
}
