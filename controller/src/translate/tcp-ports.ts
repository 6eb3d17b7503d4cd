import type { Rule } from "../resources/gen/types.ts";
import type { Findings } from "./report.ts";

/** Warns once of rules of a DENY policy that speak of HTTP only: on a TCP port nothing of such a rule is left, and it denies everything. */
export function warnOfTcpPorts(rules: readonly (Rule | null)[], findings: Findings): void {
  const index = rules.map(attributesOf).findIndex((names) => names.length > 0 && names.every(isHttpOnly));
  if (index < 0) return;
  const effect = "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope";
  const cause = "due to the use of only HTTP attributes in a DENY rule";
  findings.warn(`spec.rules[${index}]`, `${effect} ${cause}; it is recommended to explicitly specify the port`);
}

/** Names of all fields that are set, and keys of conditions. */
function attributesOf(rule: Rule | null): readonly string[] {
  const sources = (rule?.from ?? []).map((entry) => entry?.source);
  const operations = (rule?.to ?? []).map((entry) => entry?.operation);
  const fields = [...sources, ...operations].flatMap((part) =>
    Object.entries(part ?? {}).flatMap(([name, values]) => (values.length > 0 ? [name] : [])),
  );
  return [...fields, ...(rule?.when ?? []).map(({ key }) => key)];
}

function isHttpOnly(attribute: string): boolean {
  return /^((not)?(hosts|methods|paths|requestPrincipals)|request\..*)$/i.test(attribute);
}
