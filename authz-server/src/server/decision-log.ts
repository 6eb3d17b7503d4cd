import type { Logger } from "pino";
import type { RequestAttributes } from "../authz/attributes.ts";
import { ruleName } from "../authz/rule-name.ts";
import type { DecisionRecorder } from "../decide.ts";
import type { Decision } from "../decision.ts";
import type { Workload } from "../policy/workload.ts";
import type { CheckMetrics } from "../telemetry/metrics.ts";

export interface DecisionLogOptions {
  readonly metrics: Pick<CheckMetrics, "dryRun" | "audit">;
  readonly log: Logger;
  /** Where audit records go. */
  readonly auditLog: Logger;
}

/** Longer texts of a request are cut in a record: the client chooses them. */
const MAX_TEXT = 1024;

/**
 * Keeps records: one line for a request that an AUDIT rule matches, and what policies in dry-run would have answered (level debug).
 * Rules are named in Istio's form. No query, no header and no token is ever in a record, and of the claims only `iss` and `sub`.
 */
export function createDecisionLog({ metrics, log, auditLog }: DecisionLogOptions): DecisionRecorder {
  return {
    dryRun(verdict, request, policy) {
      metrics.dryRun(verdict.kind);
      if (!log.isLevelEnabled("debug")) return;
      const denied = verdict.kind === "denied" ? verdict : null;
      const rule = denied !== null && denied.ref !== null ? ruleName(denied.ref, denied.rule ?? 0) : "none";
      const workload = workloadOf(policy.workload);
      log.debug(
        { verdict: verdict.kind, rule, workload, method: readable(request.method) },
        "dry-run policy evaluated",
      );
    },
    audit(rules, attributes, decision, policy) {
      metrics.audit(decision.kind === "allow" ? "allow" : "deny");
      const names = rules.map(({ ref, index }) => ruleName(ref, index));
      auditLog.info(
        { policies: names, workload: workloadOf(policy.workload), ...requestOf(attributes), ...outcomeOf(decision) },
        "audited request",
      );
    },
  };
}

function workloadOf({ namespace, labels }: Workload): string {
  return `${namespace}/${Array.from(labels, ([name, value]) => `${name}=${value}`).join(",")}`;
}

function requestOf({ request, path, claims }: RequestAttributes): Readonly<Record<string, string | null>> {
  return {
    method: readable(request.method),
    host: readable(request.host),
    path: readable(path),
    source: request.source.address,
    iss: cut(claims?.text("iss") ?? null),
    sub: cut(claims?.text("sub") ?? null),
  };
}

function outcomeOf(decision: Decision): Readonly<Record<string, string | number>> {
  if (decision.kind === "allow") return { decision: "allow" };
  return { decision: "deny", reason: decision.reason, status: decision.status };
}

/** A byte string as the text that it stands for. */
function readable(bytes: string): string {
  return Buffer.from(bytes.slice(0, MAX_TEXT), "latin1").toString("utf8");
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MAX_TEXT);
}
