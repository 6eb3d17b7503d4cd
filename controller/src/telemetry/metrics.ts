import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { CertificateExpiry } from "../certificates/open-certificates.ts";
import type { KeySourceHealth } from "../jwks/refresher.ts";
import type { SourceState } from "../sources/source.ts";
import { createStatusMetrics, type StatusMetrics } from "./status-metrics.ts";

/** The controller's metrics. All label values come from closed sets. */
export interface ControllerMetrics {
  /** Of election, status and events. */
  readonly status: StatusMetrics;
  readonly publishes: Counter;
  readonly lastPublish: Gauge;
  readonly translateSeconds: Histogram;
  readonly resourcesSent: Counter;
  readonly nacks: Counter;
  readonly massRemovals: Counter;
  readonly watchRestarts: Counter<"kind">;
  readonly relists: Counter<"kind">;
  readonly skippedEvents: Counter<"kind">;
  readonly keyFetches: Counter<"result">;
  readonly keyHints: Counter;
  readonly refusedConnections: Counter<"reason">;
  /** Says where the gauges that are read at each scrape get their values; call it once. */
  observe(values: ObservedValues): void;
}

/** What is read at each scrape. */
export interface ObservedValues {
  /** Files and objects that can't be used, and faults of the mesh configuration. */
  readonly problems: () => number;
  /** Objects by kind; state `accepted`, `partial` (some field is not enforced) or `invalid`. */
  readonly objectCounts: () => readonly { readonly kind: string; readonly state: string; readonly count: number }[];
  /** Authz-servers with an open stream. */
  readonly connected: () => number;
  /** Sources of keys. */
  readonly keySources: () => readonly KeySourceHealth[];
  /** Certificates of the xDS port. */
  readonly certificates: () => readonly CertificateExpiry[];
  /** Kinds of the API server. */
  readonly kinds: () => readonly SourceState[];
}

/** Registers the metrics. @param registry must not hold metrics of another controller */
export function createMetrics(registry: Registry): ControllerMetrics {
  return {
    status: createStatusMetrics(registry),
    publishes: new Counter(named("publish_total", "Changes of the policy set that were offered to the servers.")),
    lastPublish: new Gauge(named("last_publish_timestamp_seconds", "When the policy set changed last.")),
    translateSeconds: new Histogram({
      ...named("translate_seconds", "Time to translate and encode the changed objects of one round."),
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    }),
    resourcesSent: new Counter(named("resources_sent_total", "Resources sent to servers, removals included.")),
    nacks: new Counter(named("nacks_total", "Responses that a server refused.")),
    massRemovals: new Counter(
      named("mass_removals_total", "Times that more than half of the objects vanished at once."),
    ),
    watchRestarts: new Counter({
      ...named("watch_restarts_total", "Watches of the API server that ended otherwise than by their time."),
      labelNames: ["kind"],
    }),
    relists: new Counter({
      ...named("relists_total", "Times that all objects of a kind were listed."),
      labelNames: ["kind"],
    }),
    skippedEvents: new Counter({
      ...named("events_skipped_total", "Watch events that could not be read; all objects were listed instead."),
      labelNames: ["kind"],
    }),
    keyFetches: new Counter({
      ...named("key_fetches_total", "Attempts to fetch a key set, by result."),
      labelNames: ["result"],
    }),
    keyHints: new Counter(named("key_hints_total", "Times that a server told of a token with an unknown key.")),
    refusedConnections: new Counter({
      ...named("refused_connections_total", "Connections to the xDS port that were refused or cut, by reason."),
      labelNames: ["reason"],
    }),
    observe: ({ problems, objectCounts, connected, keySources, kinds, certificates }) => {
      keySetGauge("key_set_keys", "Usable keys of a fetched key set.", ({ keys }) => keys);
      keySetGauge("key_set_age_seconds", "Time since a key set was last fetched; -1 if it never was.", ({ ageMs }) =>
        ageMs === null ? -1 : ageMs / 1000,
      );
      keySetGauge(
        "key_set_next_fetch_timestamp_seconds",
        "When a key set will be fetched next.",
        (health) => health.nextRefreshMs / 1000,
      );
      new Gauge({
        ...named("policies", "Objects by kind and state."),
        labelNames: ["kind", "state"],
        collect() {
          this.reset();
          for (const { kind, state, count } of objectCounts()) this.set({ kind, state }, count);
        },
      });
      gauge("source_problems", "Files or objects of the source that can't be used.", problems);
      gauge("connected_servers", "Authz-servers with an open stream.", connected);

      kindGauge(
        "sync_state",
        "1 while a kind is followed; 0 while it is not, and its last good objects serve.",
        (state) => (state.isFollowing ? 1 : 0),
      );
      kindGauge("last_event_age_seconds", "Time since the API server last told of a kind; -1 if never.", (state) =>
        state.silentMs === null ? -1 : state.silentMs / 1000,
      );

      function kindGauge(name: string, help: string, value: (state: SourceState) => number): void {
        new Gauge({
          ...named(name, help),
          labelNames: ["kind"],
          collect() {
            this.reset();
            for (const state of kinds()) this.set({ kind: state.kind }, value(state));
          },
        });
      }

      new Gauge({
        ...named("certificate_expiry_timestamp_seconds", "When a certificate of the xDS port expires."),
        labelNames: ["certificate"],
        collect() {
          this.reset();
          for (const { certificate, expiresAtMs } of certificates()) this.set({ certificate }, expiresAtMs / 1000);
        },
      });

      // The label is the name of the resource, a hash; /readyz?verbose says which issuer it stands for.
      function keySetGauge(name: string, help: string, value: (health: KeySourceHealth) => number): void {
        new Gauge({
          ...named(name, help),
          labelNames: ["key_set"],
          collect() {
            this.reset();
            for (const health of keySources()) this.set({ key_set: health.keySet }, value(health));
          },
        });
      }
    },
  };

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      ...named(name, help),
      collect() {
        this.set(value());
      },
    });
  }

  function named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: `gatehouse_controller_${name}`, help, registers: [registry] };
  }
}
