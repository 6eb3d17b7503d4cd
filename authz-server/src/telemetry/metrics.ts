import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { PolicyAge } from "../discovery/policy-age.ts";

/** What the check handler reports. Called for each request: no label is ever a host, a path or a subject. */
export interface CheckMetrics {
  /**
   * Counts one answered check.
   * @param reason from a closed set of the code, e.g. `rbac_access_denied`; past 64 different ones they count as `other`
   * @param durationSec from bytes to bytes
   */
  decision(decision: "allow" | "deny" | "error", reason: string, durationSec: number): void;
  /** Counts a check whose workload could not be told. */
  unknownWorkload(): void;
  /** Counts one evaluation of the policies in dry-run, by what they would have answered. */
  dryRun(verdict: "allowed" | "denied"): void;
  /** Counts a request that AUDIT rules match. */
  audit(decision: "allow" | "deny"): void;
  /** Counts one question to a CUSTOM provider, by how it ended. */
  provider(result: "allowed" | "denied" | "failed" | "refused"): void;
  /** Counts one look into the cache of verified tokens. */
  tokenCache(result: "hit" | "miss"): void;
  /** Counts a request that was accepted with a token that never expires. */
  tokenWithoutExp(): void;
  /** Counts a connection of a client that was cut, by why; `reason` from a closed set of the code. */
  connectionCut(reason: string): void;
  /** Counts something that should not happen; `kind` from a closed set of the code. */
  error(kind: string): void;
}

/** What the discovery client and the applier report. */
export interface DiscoveryMetrics {
  streamConnected(connected: boolean): void;
  nack(): void;
  /** A set was applied, or (`setVersion` unchanged) confirmed by the controller at that time. */
  policyApplied(set: { readonly setVersion: string; readonly resources: number; readonly atMs: number }): void;
  lastGood(result: "written" | "write_failed" | "loaded" | "ignored"): void;
}

/** All metrics of the authz-server; every name starts with `gatehouse_authz_`. */
export interface AuthzMetrics extends CheckMetrics, DiscoveryMetrics {}

const PREFIX = "gatehouse_authz_";
const MAX_REASONS = 64;
const DURATION_BUCKETS_SEC = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
];

/** Registers the metrics of the authz-server. @param nowMs wall clock, for ages */
export function createAuthzMetrics(registry: Registry, nowMs: () => number): AuthzMetrics {
  return { ...createCheckMetrics(registry), ...createDiscoveryMetrics(registry, nowMs) };
}

/**
 * Registers the metrics of whoever answers checks.
 * Counters of the request path are plain numbers; prom-client's labelled counters are filled when scraped, because
 * they hash their labels on each increment.
 */
export function createCheckMetrics(registry: Registry): CheckMetrics {
  const { errors, tokenCache, dryRuns, audits, providers, connectionsCut } = createTallies(registry);
  const decisions = { allow: newTally(), deny: newTally(), error: newTally() };
  let unknownWorkloads = 0;
  let tokensWithoutExp = 0;
  const duration = new Histogram({
    name: `${PREFIX}check_duration_seconds`,
    help: "Time from the bytes of a check to the bytes of its answer.",
    buckets: DURATION_BUCKETS_SEC,
    registers: [registry],
  });

  new Counter({
    name: `${PREFIX}decisions_total`,
    help: "Checks answered, by decision and reason.",
    labelNames: ["decision", "reason"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [decision, tally] of Object.entries(decisions)) {
        for (const [reason, count] of tally) this.inc({ decision, reason }, count);
      }
    },
  });
  new Counter({
    name: `${PREFIX}unknown_workload_total`,
    help: "Checks denied because Envoy did not say which workload it serves.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(unknownWorkloads);
    },
  });
  new Counter({
    name: `${PREFIX}tokens_without_exp_total`,
    help: "Requests accepted with a token without exp: it never expires.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(tokensWithoutExp);
    },
  });

  return {
    decision(decision, reason, durationSec) {
      count(decisions[decision], reason);
      duration.observe(durationSec);
    },
    unknownWorkload() {
      unknownWorkloads += 1;
    },
    tokenWithoutExp() {
      tokensWithoutExp += 1;
    },
    dryRun(verdict) {
      count(dryRuns, verdict);
    },
    audit(decision) {
      count(audits, decision);
    },
    provider(result) {
      count(providers, result);
    },
    tokenCache(result) {
      count(tokenCache, result);
    },
    connectionCut(reason) {
      count(connectionsCut, reason);
    },
    error(kind) {
      count(errors, kind);
    },
  };
}

/** Counters with one label. */
function createTallies(registry: Registry): {
  readonly [Name in "errors" | "tokenCache" | "dryRuns" | "audits" | "providers" | "connectionsCut"]: Tally;
} {
  const tallies = {
    errors: newTally(),
    tokenCache: newTally(),
    dryRuns: newTally(),
    audits: newTally(),
    providers: newTally(),
    connectionsCut: newTally(),
  };
  exposeTally({
    name: "errors_total",
    help: "Failures inside the server, by kind. Each was answered with a deny or a gRPC error.",
    label: "kind",
    tally: tallies.errors,
    registry,
  });
  exposeTally({
    name: "connections_cut_total",
    help: "Connections of clients that were cut, by the limit or rule that they broke. Transport grpc-js counts no_room only.",
    label: "reason",
    tally: tallies.connectionsCut,
    registry,
  });
  exposeTally({
    name: "token_cache_total",
    help: "Look-ups in the cache of verified tokens, by result.",
    label: "result",
    tally: tallies.tokenCache,
    registry,
  });
  exposeTally({
    name: "dry_run_total",
    help: "Evaluations of policies in dry-run, by what they would have answered.",
    label: "verdict",
    tally: tallies.dryRuns,
    registry,
  });
  exposeTally({
    name: "audit_total",
    help: "Requests that AUDIT rules match, by what was decided about them.",
    label: "decision",
    tally: tallies.audits,
    registry,
  });
  exposeTally({
    name: "provider_checks_total",
    help: "Questions to CUSTOM providers, by how they ended: allowed, denied, failed (the failure mode decided), refused.",
    label: "result",
    tally: tallies.providers,
    registry,
  });
  return tallies;
}

function createDiscoveryMetrics(registry: Registry, nowMs: () => number): DiscoveryMetrics {
  const age = new PolicyAge(nowMs);
  const connectedGauge = new Gauge({
    name: `${PREFIX}stream_connected`,
    help: "1 while the policy stream to the controller is open.",
    registers: [registry],
  });
  const nacks = new Counter({
    name: `${PREFIX}nacks_total`,
    help: "Policy changes refused; the policy before them went on serving.",
    registers: [registry],
  });
  const info = new Gauge({
    name: `${PREFIX}policy_set_info`,
    help: "Always 1; the label is the version of the policy set that is enforced.",
    labelNames: ["version"],
    registers: [registry],
  });
  const resources = new Gauge({
    name: `${PREFIX}policy_set_resources`,
    help: "Resources in the policy set that is enforced.",
    registers: [registry],
  });
  const lastGood = new Counter({
    name: `${PREFIX}last_good_total`,
    help: "Uses of the last-good file, by result.",
    labelNames: ["result"],
    registers: [registry],
  });
  new Gauge({
    name: `${PREFIX}policy_set_age_seconds`,
    help: "Time since the controller was last known to want the policy set that is enforced; -1 before the first.",
    registers: [registry],
    collect() {
      this.set(age.ms === null ? -1 : age.ms / 1000);
    },
  });
  return {
    streamConnected(connected) {
      connectedGauge.set(connected ? 1 : 0);
      age.connected(connected);
    },
    nack() {
      nacks.inc();
      age.refused();
    },
    policyApplied(set) {
      age.confirmed(set.atMs);
      info.reset();
      info.set({ version: set.setVersion }, 1);
      resources.set(set.resources);
    },
    lastGood(result) {
      lastGood.inc({ result });
    },
  };
}

type Tally = Map<string, number>;

function newTally(): Tally {
  return new Map();
}

function count(tally: Tally, label: string): void {
  const before = tally.get(label);
  if (before === undefined && tally.size >= MAX_REASONS) {
    tally.set("other", (tally.get("other") ?? 0) + 1);
    return;
  }
  tally.set(label, (before ?? 0) + 1);
}

interface ExposedTally {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly tally: Tally;
  readonly registry: Registry;
}

/** A counter with one label that is filled from a tally when scraped. */
function exposeTally({ name, help, label, tally, registry }: ExposedTally): void {
  new Counter({
    name: `${PREFIX}${name}`,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, total] of tally) this.inc({ [label]: value }, total);
    },
  });
}
