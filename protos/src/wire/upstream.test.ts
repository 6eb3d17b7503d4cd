import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { isMapEntry, messages } from "../../test/messages.ts";
import { protoRoot } from "./load.ts";

/** The whole of Envoy's API, as @grpc/grpc-js-xds carries it. */
const upstreamRoots = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((name) =>
  join(dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")), "deps", name),
);
const files = ["envoy/service/discovery/v3/ads.proto", "envoy/service/auth/v3/external_auth.proto"];
const own = load([protoRoot]);
const upstream = load(upstreamRoots);

const ownTypes = reflectionObjects(own).filter((it) => it instanceof protobuf.Type);
const ownEnums = reflectionObjects(own).filter((it) => it instanceof protobuf.Enum);
const ownServices = reflectionObjects(own).filter((it) => it instanceof protobuf.Service);

test("there is something to compare", () => {
  expect(ownTypes.map((type) => type.fullName)).toEqual(
    expect.arrayContaining([".envoy.service.auth.v3.CheckResponse", ".envoy.service.discovery.v3.Resource"]),
  );
  expect(ownServices).toHaveLength(2);
});

describe("each field has the number, name and type that it has upstream", () => {
  const fields = ownTypes.filter((type) => !isMapEntry(type)).flatMap((type) => type.fieldsArray);
  test.each(fields.map((field) => [field.fullName, field] as const))("%s", (_name, field) => {
    const original = upstream.lookupType(field.parent?.fullName ?? "").fields[field.name];
    expect(describeField(field)).toEqual(describeField(original));
  });
});

test.each(ownEnums.map((it) => [it.fullName, it] as const))("%s has the values that it has upstream", (name, it) => {
  expect(it.values).toEqual(upstream.lookupEnum(name).values);
});

test.each(ownServices.map((it) => [it.fullName, it] as const))(
  "the methods of %s are those of upstream",
  (name, service) => {
    for (const method of service.methodsArray) {
      expect(describeMethod(method)).toEqual(describeMethod(upstream.lookupService(name).methods[method.name]));
    }
  },
);

const messageNames = [
  "envoy.service.discovery.v3.DeltaDiscoveryRequest",
  "envoy.service.discovery.v3.DeltaDiscoveryResponse",
  "envoy.service.auth.v3.CheckRequest",
  "envoy.service.auth.v3.CheckResponse",
];

test.each(messageNames)("our %s passes through upstream's unchanged", (name) => {
  const [ours, theirs] = [own.lookupType(name), upstream.lookupType(name)];
  fc.assert(
    fc.property(messages(ours), (message) => {
      const bytes = ours.encode(ours.fromObject(message)).finish();
      const returned = theirs.encode(theirs.decode(bytes)).finish();
      expect(plain(ours, returned)).toEqual(plain(ours, bytes));
    }),
    { numRuns: 150 },
  );
});

test.each(messageNames)("what upstream's %s has beyond ours is skipped, the rest is kept", (name) => {
  const [ours, theirs] = [own.lookupType(name), upstream.lookupType(name)];
  fc.assert(
    fc.property(messages(theirs, 5), (message) => {
      const bytes = theirs.encode(theirs.fromObject(message)).finish();
      const kept = ours.encode(ours.decode(bytes)).finish();
      expect(plain(theirs, bytes)).toMatchObject(plain(theirs, kept));
    }),
    { numRuns: 100 },
  );
});

function load(roots: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    const found = roots.map((dir) => join(dir, target)).find((path) => existsSync(path));
    if (found === undefined) throw new Error(`no ${target} in ${roots.join(", ")}`);
    return found;
  };
  root.loadSync(files, { keepCase: true }).resolveAll();
  return root;
}

function reflectionObjects(namespace: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((it) => [
    it,
    ...(it instanceof protobuf.Namespace ? reflectionObjects(it) : []),
  ]);
}

/** All that matters on the wire. A map and the list of its entries are the same there. */
function describeField(field: protobuf.Field | undefined): object {
  if (field === undefined) return { missing: true };
  const { id, name, repeated, partOf } = field;
  const type = field.resolve().resolvedType;
  if (field instanceof protobuf.MapField) return { id, name, entry: [field.keyType, type?.fullName ?? field.type] };
  if (type instanceof protobuf.Type && isMapEntry(type)) {
    const { key, value } = type.fields;
    return { id, name, entry: [key?.type, value?.resolve().resolvedType?.fullName ?? value?.type] };
  }
  // The one enum that we declare as the integer that it is on the wire.
  const isStatusCode = type?.fullName === ".envoy.type.v3.StatusCode";
  return { id, name, repeated, oneof: partOf?.name, type: isStatusCode ? "int32" : (type?.fullName ?? field.type) };
}

function describeMethod(method: protobuf.Method | undefined): object {
  if (method === undefined) return { missing: true };
  const { name, resolvedRequestType, resolvedResponseType, requestStream = false, responseStream = false } = method;
  const types = [resolvedRequestType?.fullName, resolvedResponseType?.fullName];
  return { name, types, requestStream: requestStream === true, responseStream: responseStream === true };
}

/** A message for comparison: entries of maps in one order. */
function plain(type: protobuf.Type, bytes: Uint8Array): object {
  return sorted(type.toObject(type.decode(bytes), { longs: String, bytes: String })) as object;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const entries = value.map(sorted);
    const isEntries = entries.every((it) =>
      Object.keys(Object(it)).every((name) => name === "key" || name === "value"),
    );
    return isEntries ? entries.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : entries;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, sorted(part)]));
}
