import type { AuthorizationMatch, AuthorizationPolicy } from "@gatehouse/protos";
import { expect, it } from "vitest";
import type { RequestAttributes } from "../authz/attributes.ts";
import { evaluate } from "../authz/evaluate.ts";
import { prepare } from "./prepare.ts";
import { meshConfig } from "./testdata/mesh.ts";
import { parseWorkload } from "./workload.ts";

const FIELDS = ["names", "name", "header", "path", "sub", "iss", "peer", "sni", "method", "port", "claim"];

const request: Omit<RequestAttributes, "headers"> = {
  request: {
    ...{ method: "GET", path: "/", host: "h", scheme: "http", headers: [], hasRawHeaders: true, sni: "" },
    source: { address: "10.0.0.1", principal: "" },
    destination: { address: "10.0.0.2", port: 80 },
    contextExtensions: new Map(),
    filterMetadata: () => undefined,
  },
  ...{ path: "/", query: "", removedHeaders: [], addedHeaders: [], claims: null, remoteAddress: "10.0.0.1" },
};

/** Denies requests with such a header. */
function denyHeader(name: string, match: AuthorizationMatch): AuthorizationPolicy {
  const policyName = `${name}-${match.kind === "present" ? "any" : match.value}`;
  return {
    kind: "AuthorizationPolicy",
    meta: { namespace: "foo", name: policyName, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    target: { kind: "namespace" },
    ...{ action: "DENY", dryRun: false, provider: "" },
    rules: [
      {
        ...{ index: 0, from: [], to: [] },
        when: [{ attribute: "header", field: "", name, values: [match], notValues: [] }],
      },
    ],
  };
}

it.each(["presences first", "values first"])("finds rules by headers of any name: %s", (order) => {
  const presences = FIELDS.map((name) => denyHeader(`x-${name}`, { kind: "present" }));
  const values = FIELDS.flatMap((name) => [
    denyHeader(name, { kind: "exact", value: "1" }),
    denyHeader(name, { kind: "exact", value: "2" }),
  ]);
  const upserts = order === "values first" ? [...values, ...presences] : [...presences, ...values];
  const prepared = prepare(null, { upserts: [meshConfig(), ...upserts], removed: [] }, new Map());
  const workload = parseWorkload({ namespace: "foo", labels: "", gateways: "", serverPort: "" });
  if (!prepared.ok || workload === undefined) throw new Error("not prepared");
  const { enforced } = prepared.index.select(workload);
  const verdict = (name: string, value: string) =>
    evaluate(enforced, [{ ...request, headers: [{ name, value }] }]).kind;
  for (const name of FIELDS) {
    expect([name, verdict(name, "2"), verdict(`x-${name}`, ""), verdict(name, "3")]).toEqual([
      ...[name, "denied", "denied", "allowed"],
    ]);
  }
});
