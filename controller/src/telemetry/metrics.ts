import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { KeySourceHealth } from "../jwks/refresher.ts";

/** The controller's metrics. All label values come from closed sets. */
export interface ControllerMetrics {
  readonly publishes: Counter;
  readonly lastPublish: Gauge;
  readonly translateSeconds: Histogram;
  readonly resourcesSent: Counter;
  readonly nacks: Counter;
  readonly massRemovals: Counter;
  readonly keyFetches: Counter<"result">;
  readonly keyHints: Counter;
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
}

/** Registers the metrics. @param registry must not hold metrics of another controller */
export function createMetrics(registry: Registry): ControllerMetrics {
  return {
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
    keyFetches: new Counter({
      ...named("key_fetches_total", "Attempts to fetch a key set, by result."),
      labelNames: ["result"],
    }),
    keyHints: new Counter(named("key_hints_total", "Times that a server told of a token with an unknown key.")),
    observe: ({ problems, objectCounts, connected, keySources }) => {
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
