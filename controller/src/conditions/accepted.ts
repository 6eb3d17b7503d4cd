import type { FieldError } from "../resources/object.ts";
import type { Report } from "../translate/index.ts";
import type { Condition } from "./condition.ts";
import { shortened } from "./message.ts";

/** What says whether an object is accepted: why it failed its schema, or what its translation found. */
export type Verdict =
  | { readonly kind: "schema"; readonly errors: readonly FieldError[] }
  | { readonly kind: "report"; readonly report: Report };

/** Whether the object can be enforced as it is written. */
export function acceptedCondition(verdict: Verdict, observedGeneration: number): Condition {
  const { status, reason, message } = describe(verdict);
  return { type: "Accepted", status, reason, message, observedGeneration };
}

function describe(verdict: Verdict): Pick<Condition, "status" | "reason" | "message"> {
  if (verdict.kind === "schema") {
    return { status: "False", reason: "Invalid", message: listed("invalid", verdict.errors) };
  }
  const { reason, diagnostics } = verdict.report;
  const of = (wanted: string) => diagnostics.filter((diagnostic) => diagnostic.reason === wanted);
  switch (reason) {
    case "Invalid":
      return { status: "False", reason, message: listed("invalid, and fails closed", of("Invalid")) };
    case "QuotaExceeded":
      return { status: "False", reason, message: listed("too much, and fails closed", of(reason)) };
    case "Conflicted":
      return { status: "False", reason, message: listed("conflict", of(reason)) };
    case "PartiallySupported":
      return { status: "True", reason, message: listed("not enforced", of("Unsupported")) };
    case "Accepted": {
      const warnings = of("Warning");
      return { status: "True", reason, message: warnings.length === 0 ? "accepted" : listed("warning", warnings) };
    }
  }
}

function listed(what: string, findings: readonly { readonly path: string; readonly message: string }[]): string {
  const lines = findings.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return shortened(`${what}: ${lines.join("; ")}`);
}
