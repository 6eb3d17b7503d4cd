import type { PolicyTarget, TargetRef } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { targets } from "./selection.ts";
import { parseWorkload, type Workload } from "./workload.ts";

const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

function workload(labels: string, namespace = "foo"): Workload {
  const parsed = parseWorkload({ namespace, labels, gateways: "", serverPort: "" });
  if (parsed === undefined) throw new Error("no workload");
  return parsed;
}

function selector(...labels: readonly string[]): PolicyTarget {
  const matchLabels = labels.map((label) => ({ name: label.split("=")[0] ?? "", value: label.split("=")[1] ?? "" }));
  return { kind: "selector", matchLabels };
}

describe("a selector", () => {
  it.each([
    [selector("app=a"), "app=a", true],
    [selector("app=a"), "app=a,more=b", true],
    [selector("app=a"), "app=A", false],
    [selector("App=a"), "app=a", false],
    [selector("app=a", "v=1"), "app=a", false],
    [selector("app=a", "v=1"), "v=1,app=a", true],
    [selector("app="), "", false],
    [selector(), "app=a", true],
    [{ kind: "namespace" }, "app=a", true],
  ] as const)("%j of a workload %j: %s", (target, labels, expected) => {
    expect(targets(target, "foo", workload(labels))).toBe(expected);
  });
});

describe("targetRefs", () => {
  const gateway: TargetRef = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "gw", namespace: "" };

  it.each([
    [gateway, `${GATEWAY_NAME}=gw`, "foo", true],
    [{ ...gateway, namespace: "foo" }, `${GATEWAY_NAME}=gw`, "foo", true],
    [{ ...gateway, namespace: "bar" }, `${GATEWAY_NAME}=gw`, "foo", false],
    [gateway, `${GATEWAY_NAME}=other`, "foo", false],
    [gateway, "app=gw", "foo", false],
    [gateway, `${GATEWAY_NAME}=gw`, "istio-system", false],
    [{ ...gateway, kind: "Service", group: "" }, `${GATEWAY_NAME}=gw`, "foo", false],
    [{ ...gateway, group: "networking.istio.io" }, `${GATEWAY_NAME}=gw`, "foo", false],
  ] as const)("%j of a workload %j by a policy in %s: %s", (ref, labels, policyNamespace, expected) => {
    expect(targets({ kind: "targetRefs", refs: [ref] }, policyNamespace, workload(labels))).toBe(expected);
  });

  it("apply when one of them does", () => {
    const refs = [{ ...gateway, name: "other" }, gateway];
    expect(targets({ kind: "targetRefs", refs }, "foo", workload(`${GATEWAY_NAME}=gw`))).toBe(true);
  });
});
