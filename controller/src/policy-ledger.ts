import type { ObjectKey } from "./resources/object.ts";
import type { Report } from "./translate/index.ts";

/** All objects that policy is made of, with the verdict on each. */
export interface PolicySummary {
  readonly objects: number;
  /** Objects that are refused; what they protect is denied, hosts of another namespace are left to that. */
  readonly invalid: number;
  /** Objects of which some field is not enforced. */
  readonly partial: number;
  /** By `Kind/namespace/name`. */
  readonly reports: ReadonlyMap<ObjectKey, Report>;
}

/** How an object stands, as metrics call it. */
export type PolicyState = "accepted" | "partial" | "invalid";

/** What happened to the objects in one round of the loop. */
export interface LedgerChange {
  readonly added: readonly ObjectKey[];
  readonly changed: readonly ObjectKey[];
  readonly removed: readonly ObjectKey[];
}

/** The newest report of every object. */
export class PolicyLedger {
  readonly #reports = new Map<ObjectKey, Report>();

  /** Takes in the reports of one round. */
  apply(reports: ReadonlyMap<ObjectKey, Report>, removed: readonly ObjectKey[]): LedgerChange {
    const added = [...reports.keys()].filter((key) => !this.#reports.has(key));
    const changed = [...reports.keys()].filter((key) => this.#reports.has(key));
    const known = removed.filter((key) => this.#reports.delete(key));
    for (const [key, report] of reports) this.#reports.set(key, report);
    return { added, changed, removed: known };
  }

  summary(): PolicySummary {
    const states = [...this.#reports.values()].map(policyState);
    return {
      objects: states.length,
      invalid: states.filter((state) => state === "invalid").length,
      partial: states.filter((state) => state === "partial").length,
      reports: this.#reports,
    };
  }

  /** Number of objects by kind and state. */
  counts(): readonly { readonly kind: string; readonly state: PolicyState; readonly count: number }[] {
    const counts = new Map<string, { kind: string; state: PolicyState; count: number }>();
    for (const report of this.#reports.values()) {
      const [kind, state] = [report.ref.kind, policyState(report)];
      const entry = counts.get(`${kind} ${state}`) ?? { kind, state, count: 0 };
      counts.set(`${kind} ${state}`, { kind, state, count: entry.count + 1 });
    }
    return [...counts.values()];
  }
}

function policyState({ reason }: Report): PolicyState {
  switch (reason) {
    case "Accepted":
      return "accepted";
    case "PartiallySupported":
      return "partial";
    case "Invalid":
    case "QuotaExceeded":
    case "Conflicted":
      return "invalid";
  }
}
