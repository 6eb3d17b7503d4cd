import { expect, it } from "vitest";
import type { HttpRequest } from "../http-request.ts";
import { GatehouseMetadata } from "../transport/request-head.ts";
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

it("takes metadata that calls share for no more than itself", () => {
  const resolver = new WorkloadResolver(DIRECTORY);
  const shared = new GatehouseMetadata(["gatehouse-namespace", "shared"]);
  const listener = { namespace: "listening", labels: [], gateways: [] };
  const extensions = { "gatehouse-namespace": "extended" };
  for (const _ of [1, 2]) {
    expect(resolver.resolve(request("10.0.0.1"), shared, null)?.namespace).toBe("shared");
    expect(resolver.resolve(request("10.0.0.1", { other: "x" }), shared, null)?.namespace).toBe("shared");
    expect(resolver.resolve(request("10.0.0.1", extensions), shared, null)?.namespace).toBe("extended");
    expect(resolver.resolve(request("10.0.0.1", AUTO), shared, null)?.namespace).toBe("pods");
    expect(resolver.resolve(request("10.0.0.2", AUTO), shared, null)).toBeUndefined();
    expect(resolver.resolve(request("10.0.0.1"), shared, listener)?.namespace).toBe("listening");
  }
});

it("asks the directory each time, though calls share their metadata", () => {
  let labels = "app=first";
  const resolver = new WorkloadResolver({ at: () => ({ namespace: "pods", labels }) });
  const shared = new GatehouseMetadata(["gatehouse-workload", "auto"]);
  const resolve = () => resolver.resolve(request("10.0.0.1"), shared, null)?.labels.get("app");
  expect([resolve(), resolve()]).toEqual(["first", "first"]);
  labels = "app=second";
  expect(resolve()).toBe("second");
});

it("goes on refusing malformed metadata that calls share", () => {
  const resolver = new WorkloadResolver(DIRECTORY);
  const shared = new GatehouseMetadata(["gatehouse-namespace", "Not A Namespace"]);
  for (const _ of [1, 2]) expect(resolver.resolve(request("10.0.0.1"), shared, null)).toBeUndefined();
});
