import { decodeWorkload } from "@gatehouse/protos/wire";
import { expect, it } from "vitest";
import { createWorkloadTarget, toWorkload } from "./workload-target.ts";

const POD = {
  metadata: { namespace: "foo", name: "httpbin-1", resourceVersion: "7", labels: { version: "v1", app: "httpbin" } },
  spec: { serviceAccountName: "httpbin", containers: [{ name: "secret", env: [] }] },
  status: { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
};

it("keeps of a pod its addresses, labels and service account", () => {
  expect(toWorkload(POD)).toEqual({
    kind: "Workload",
    namespace: "foo",
    name: "httpbin-1",
    addresses: ["10.0.0.1", "fd00::1"],
    labels: [
      { name: "app", value: "httpbin" },
      { name: "version", value: "v1" },
    ],
    serviceAccount: "httpbin",
  });
});

it.each([
  ["shares the address of its node", { ...POD, spec: { ...POD.spec, hostNetwork: true } }],
  ["has ended well", { ...POD, status: { ...POD.status, phase: "Succeeded" } }],
  ["has failed", { ...POD, status: { ...POD.status, phase: "Failed" } }],
  ["has no address yet", { ...POD, status: { phase: "Pending" } }],
  ["is no pod", { metadata: {} }],
  ["is nothing", null],
])("knows nobody by a pod that %s", (_, pod) => {
  expect(toWorkload(pod)).toBeNull();
});

it("gives one resource for a pod, and none any more when it loses its address", () => {
  const applied: [string, number][] = [];
  let isWhole = false;
  const target = createWorkloadTarget({
    apply: (changes) => void applied.push(...[...changes].map(([key, list]) => [key, list.length] as [string, number])),
    markWhole() {
      isWhole = true;
    },
  });
  const served = { apiVersion: "v1", path: "/api/v1/pods" };
  const [resource] = target.read(POD, served);
  expect(resource && decodeWorkload(resource.bytes)).toEqual(toWorkload(POD));
  expect(resource?.name).toBe("Workload/foo/httpbin-1");
  const key = target.identify(POD)?.key ?? "";
  target.apply(new Map([[key, target.read(POD, served)]]), []);
  target.apply(new Map([[key, target.read({ ...POD, status: {} }, served)]]), []);
  target.apply(new Map(), [key]);
  target.position("8");
  expect(applied).toEqual([
    ["foo/httpbin-1", 1],
    ["foo/httpbin-1", 0],
    ["foo/httpbin-1", 0],
  ]);
  expect(isWhole).toBe(true);
});
