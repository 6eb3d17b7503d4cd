import { Counter, Gauge, type Registry } from "prom-client";

/** Metrics of the leader's election, of status and of events. */
export interface StatusMetrics {
  readonly leader: Gauge;
  readonly leaderChanges: Counter;
  readonly statusWrites: Counter<"result">;
  readonly statusPending: Gauge;
  readonly unprogrammed: Gauge;
  readonly fleetReports: Counter<"result">;
  readonly events: Counter<"result">;
}

/** Registers the metrics. */
export function createStatusMetrics(registry: Registry): StatusMetrics {
  const named = (name: string, help: string) => ({
    name: `gatehouse_controller_${name}`,
    help,
    registers: [registry],
  });
  const results = ["result"] as const;
  return {
    leader: new Gauge(named("leader", "1 while this replica is the leader and writes status, else 0.")),
    leaderChanges: new Counter(named("leader_changes_total", "Times that this replica became leader or ceased to be.")),
    statusWrites: new Counter({
      ...named("status_writes_total", "Writes of an object's status, by result."),
      labelNames: results,
    }),
    statusPending: new Gauge(named("status_pending_objects", "Objects whose status is still to be written.")),
    unprogrammed: new Gauge(
      named("unprogrammed_objects", "Objects that some connected server does not enforce; of the leader only."),
    ),
    fleetReports: new Counter({
      ...named("fleet_reports_total", "Exchanges of what the servers of all replicas enforce, by result."),
      labelNames: results,
    }),
    events: new Counter({
      ...named("events_total", "Kubernetes events, by what became of them."),
      labelNames: results,
    }),
  };
}
