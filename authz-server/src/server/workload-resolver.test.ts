import { expect, it } from "vitest";
import type { HttpRequest } from "../http-request.ts";
import type { WorkloadLookup } from "../workload-directory.ts";
import { WorkloadResolver } from "./workload-resolver.ts";

const DIRECTORY: WorkloadLookup = {
  at: (address) => (address === "10.0.0.1" ? { namespace: "pods", labels: "app=found" } : undefined),
};

function request(address: string, extensions: Readonly<Record<string, string>> = {}): HttpRequest {
  return {
    method: "GET",
    path: "/",
    host: "example.com",
    scheme: "http",
    headers: [],
    hasRawHeaders: true,
    source: { address: "10.9.9.9", principal: "" },
    destination: { address, port: 80 },
    sni: "",
    contextExtensions: new Map(Object.entries(extensions)),
    filterMetadata: () => undefined,
  };
}

const AUTO = { "gatehouse-workload": "auto" };
const NOTHING = new Map<string, string>();

it("takes the pod at the destination for auto, with the gateways that are stated", () => {
  const metadata = new Map(Object.entries({ ...AUTO, "gatehouse-gateways": "foo/gw" }));
  expect(new WorkloadResolver(DIRECTORY).resolve(request("10.0.0.1"), metadata, null)).toMatchObject({
    namespace: "pods",
    labels: new Map([["app", "found"]]),
    gateways: ["foo/gw"],
  });
});

it("follows the directory, whatever was found before", () => {
  let labels = "app=first";
  const resolver = new WorkloadResolver({ at: () => ({ namespace: "pods", labels }) });
  const resolve = () => resolver.resolve(request("10.0.0.1", AUTO), NOTHING, null)?.labels.get("app");
  expect(resolve()).toBe("first");
  labels = "app=second";
  expect(resolve()).toBe("second");
});

it.each([
  ["an address that nobody has", DIRECTORY, "10.0.0.2", AUTO],
  ["no directory", null, "10.0.0.1", AUTO],
  ["another word than auto", DIRECTORY, "10.0.0.1", { "gatehouse-workload": "Auto" }],
])("finds no workload with %s, whatever the metadata says", (_, directory, address, extensions) => {
  const metadata = new Map([["gatehouse-namespace", "elsewhere"]]);
  expect(new WorkloadResolver(directory).resolve(request(address, extensions), metadata, null)).toBeUndefined();
});

it("lets a stated namespace stand before auto", () => {
  const extensions = { ...AUTO, "gatehouse-namespace": "stated" };
  expect(new WorkloadResolver(DIRECTORY).resolve(request("10.0.0.1", extensions), NOTHING, null)).toMatchObject({
    namespace: "stated",
  });
});
