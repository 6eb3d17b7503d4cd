import { expect, it } from "vitest";
import type { Diagnostic, Report } from "../translate/index.ts";
import { toReport } from "../translate/report.ts";
import { acceptedCondition } from "./accepted.ts";

const REF: Report["ref"] = { kind: "VirtualService", namespace: "foo", name: "a" };

function remark(reason: Diagnostic["reason"]): Diagnostic {
  return { path: "spec.hosts[0]", reason, message: `about ${reason}` };
}

it.each<readonly [readonly Diagnostic["reason"][], string, string, string]>([
  [[], "True", "Accepted", "accepted"],
  [["Warning"], "True", "Accepted", "warning: spec.hosts[0]: about Warning"],
  [["Warning", "Unsupported"], "True", "PartiallySupported", "not enforced: spec.hosts[0]: about Unsupported"],
  [["Unsupported", "Conflicted"], "False", "Conflicted", "conflict: spec.hosts[0]: about Conflicted"],
  [
    ["Conflicted", "QuotaExceeded"],
    "False",
    "QuotaExceeded",
    "too much, and fails closed: spec.hosts[0]: about QuotaExceeded",
  ],
  [["QuotaExceeded", "Invalid"], "False", "Invalid", "invalid, and fails closed: spec.hosts[0]: about Invalid"],
])("states the worst of %j", (reasons, status, reason, message) => {
  const condition = acceptedCondition({ kind: "report", report: toReport(REF, reasons.map(remark)) }, 3);
  expect(condition).toEqual({ type: "Accepted", status, reason, message, observedGeneration: 3 });
});
