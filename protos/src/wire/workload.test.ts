import fc from "fast-check";
import { expect, test } from "vitest";
import type { Workload } from "../model/workload.ts";
import { ResourceDecodeError, ResourceEncodeError } from "./errors.ts";
import { decodeWorkload, encodeWorkload } from "./workload.ts";

const text = fc.string({ unit: "binary", maxLength: 8 });
const named = fc.string({ unit: "binary", minLength: 1, maxLength: 8 });
const workloads = fc.record(
  {
    kind: fc.constant("Workload" as const),
    namespace: named,
    name: named,
    addresses: fc.array(text, { maxLength: 3 }),
    labels: fc.array(fc.record({ name: text, value: text }, { noNullPrototype: true }), { maxLength: 3 }),
    serviceAccount: text,
  },
  { noNullPrototype: true },
);

const WORKLOAD: Workload = {
  kind: "Workload",
  namespace: "foo",
  name: "httpbin-1",
  addresses: ["10.0.0.1"],
  labels: [{ name: "__proto__", value: "x" }],
  serviceAccount: "httpbin",
};

test("a workload comes out as it went in", () => {
  fc.assert(
    fc.property(workloads, (workload) => {
      expect(decodeWorkload(encodeWorkload(workload))).toStrictEqual(workload);
    }),
  );
});

test("any bytes are a workload or a ResourceDecodeError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        expect(decodeWorkload(bytes).name).not.toBe("");
      } catch (error) {
        expect(error).toBeInstanceOf(ResourceDecodeError);
      }
    }),
  );
});

test("a workload without a name is refused", () => {
  expect(() => decodeWorkload(encodeWorkload({ ...WORKLOAD, name: "" }))).toThrow(ResourceDecodeError);
});

test("half of a surrogate pair is refused, not changed", () => {
  const labels = [{ name: "app", value: "\ud800" }];
  expect(() => encodeWorkload({ ...WORKLOAD, labels })).toThrow(ResourceEncodeError);
});
