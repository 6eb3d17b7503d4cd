import { describe, expect, test } from "vitest";
import { loadDiscovery, loadExtAuthz, loadHealth } from "./load.ts";

const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } = loadExtAuthz().service.Check;

test("the services have the paths that their clients call", () => {
  expect(loadDiscovery().service.DeltaAggregatedResources).toMatchObject({
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    requestStream: true,
    responseStream: true,
  });
  expect(loadExtAuthz().service.Check.path).toBe("/envoy.service.auth.v3.Authorization/Check");
  expect(loadHealth().service.Check.path).toBe("/grpc.health.v1.Health/Check");
  expect(loadHealth().service.Watch.path).toBe("/grpc.health.v1.Health/Watch");
});

test("a denial is written with its code and status", () => {
  const bytes = responseSerialize({ status: { code: 7 }, deniedResponse: { status: { code: 403 }, body: "no" } });
  expect(bytes.toString("hex")).toBe("0a020807" + "12090a030893031a026e6f");
});

test("names that are special in JavaScript arrive as values", () => {
  const names = ["__proto__", "constructor", "toString"];
  const pairs = names.map((key) => ({ key, value: "x" }));
  const request = requestDeserialize(
    requestSerialize({
      attributes: {
        contextExtensions: pairs,
        request: { http: { headers: pairs } },
        metadataContext: { filterMetadata: names.map((key) => ({ key, value: { fields: {} } })) },
      },
    }),
  );
  expect(request.attributes?.contextExtensions.map(({ key }) => key)).toEqual(names);
  expect(request.attributes?.request?.http?.headers).toEqual(pairs);
  expect(request.attributes?.metadataContext?.filterMetadata.map(({ key }) => key)).toEqual(names);
});

test("keys of dynamic metadata are own members of their object, also __proto__", () => {
  const fields = JSON.parse('{"__proto__":{"stringValue":"x"}}');
  const filterMetadata = [{ key: "lua", value: { fields } }];
  const request = requestDeserialize(requestSerialize({ attributes: { metadataContext: { filterMetadata } } }));
  const read = request.attributes?.metadataContext?.filterMetadata[0]?.value?.fields;
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  expect(Object.keys(read ?? {})).toEqual(["__proto__"]);
});

describe("the library writes what means ALLOW", () => {
  // Not what we want but what is so: responses must come from one constructor whose bytes are tested.
  test.each([
    ["an empty answer", {}],
    ["a code by name", { status: { code: "PERMISSION_DENIED" } }],
    ["a code that is NaN", { status: { code: Number.NaN } }],
    ["a misspelt field", { status: { Code: 7 } }],
  ])("for %s", (_what, response) => {
    // @ts-expect-error: for most of them, which is what the types are for
    const written = responseDeserialize(responseSerialize(response));
    expect(written.status?.code ?? 0).toBe(0);
  });
});
