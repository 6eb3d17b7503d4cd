import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type ObservedValues, registerObservedGauges } from "./observed-gauges.ts";
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
    observe: (values) => registerObservedGauges(registry, values),
  };

  function named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: `gatehouse_controller_${name}`, help, registers: [registry] };
  }
}
