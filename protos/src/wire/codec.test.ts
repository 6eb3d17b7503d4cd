import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPolicyResource, policyResources } from "../../test/policy-resources.ts";
import type { AuthorizationPolicy } from "../model/authorization.ts";
import { DEFAULT_MESH_CONFIG } from "../model/mesh.ts";
import { type PolicyResource, READER_VERSION } from "../model/resource.ts";
import { decodeResource, encodeResource } from "./codec.ts";
import { ResourceDecodeError, ResourceEncodeError } from "./errors.ts";
import type { PolicyResource as Wire } from "./gen/gatehouse/policy/v1/PolicyResource.ts";
import { loadMessage } from "./message.ts";

/** Writes what encodeResource never would. */
const raw = loadMessage<Wire, Wire>("gatehouse/policy/v1/policy_resource.proto", "gatehouse.policy.v1.PolicyResource");

const meta = { namespace: "foo", name: "bar", createdAtMs: 0, unenforceable: "" };

const policy: AuthorizationPolicy = {
  kind: "AuthorizationPolicy",
  meta: { ...meta, minReaderVersion: 1 },
  target: { kind: "selector", matchLabels: [{ name: "__proto__", value: "constructor" }] },
  action: "DENY",
  dryRun: false,
  provider: "",
  rules: [
    {
      index: 0,
      from: [],
      to: [],
      when: [
        { attribute: "header", field: "when[0]", name: "x", values: [{ kind: "exact", value: "y" }], notValues: [] },
      ],
    },
  ],
};

describe("a resource comes out as it went in", () => {
  test.each(Object.entries(policyResources))("%s", (_kind, resources) => {
    fc.assert(
      fc.property(resources, (resource) => {
        expect(decodeResource(encodeResource(resource))).toStrictEqual(resource);
      }),
      { numRuns: 200 },
    );
  });
});

test("equal resources give equal bytes, whatever the order of their members", () => {
  fc.assert(
    fc.property(anyPolicyResource, (resource) => {
      expect(encodeResource(reversed(resource))).toEqual(encodeResource(resource));
    }),
    { numRuns: 200 },
  );
});

test("bytes do not change from release to release", () => {
  expect(Buffer.from(encodeResource(DEFAULT_MESH_CONFIG)).toString("hex")).toBe(
    "08017a3c0a0c697374696f2d73797374656d120d636c75737465722e6c6f63616c22117376632e636c75737465722e6c6f63616c2802300038004001480150" +
      "01",
  );
});

test("random bytes are refused with a ResourceDecodeError or decoded, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expectDecodeErrorOrNothing(bytes);
    }),
    { numRuns: 2000 },
  );
});

test("damaged resources are refused with a ResourceDecodeError or decoded, nothing else", () => {
  const damage = fc.record({ offset: fc.nat(), byte: fc.nat(255) });
  fc.assert(
    fc.property(anyPolicyResource, fc.array(damage, { minLength: 1, maxLength: 3 }), (resource, damages) => {
      const bytes = Uint8Array.from(encodeResource(resource));
      for (const { offset, byte } of damages) bytes[offset % bytes.length] = byte;
      expectDecodeErrorOrNothing(bytes);
    }),
    { numRuns: 1000 },
  );
});

test("a resource that was cut short is refused", () => {
  fc.assert(
    fc.property(anyPolicyResource, fc.nat(), (resource, cut) => {
      const bytes = encodeResource(resource);
      expect(() => decodeResource(bytes.subarray(0, cut % bytes.length))).toThrow(ResourceDecodeError);
    }),
    { numRuns: 500 },
  );
});

test("unknown fields are skipped", () => {
  const unknownField = [0xf8, 0x3f, 0x01]; // field 1023, varint 1
  expect(decodeResource(Uint8Array.from([...encodeResource(policy), ...unknownField]))).toEqual(policy);
});

test("a resource for newer readers is returned with its minReaderVersion when it can be read", () => {
  const future = { ...DEFAULT_MESH_CONFIG, minReaderVersion: READER_VERSION + 1 };
  expect(decodeResource(encodeResource(future))).toEqual(future);
});

test("a resource for newer readers that cannot be read says so", () => {
  const bytes = raw.encode({ minReaderVersion: READER_VERSION + 1 });
  expect(decodeErrorOf(bytes)).toMatchObject({
    code: "READER_TOO_OLD",
    message: expect.stringContaining(`needs reader version ${READER_VERSION + 1}, this is ${READER_VERSION}`),
  });
});

test("an error names the part that is wrong, however deep", () => {
  const bytes = raw.encode({
    authorizationPolicy: {
      meta,
      target: { namespace: {} },
      action: "ACTION_ALLOW",
      rules: [{}, { from: [{ conditions: [{ attribute: "ATTRIBUTE_PATH", strings: { values: [{}] } }] }] }],
    },
  });
  expect(decodeErrorOf(bytes).message).toBe(
    "authorizationPolicy.rules[1].from[0][0].values[0]: has none of exact, prefix, suffix, regex, present, template that this reader knows",
  );
});

describe("refuses", () => {
  const target = { namespace: {} };
  const when = (condition: object): Wire => ({
    authorizationPolicy: { meta, target, action: "ACTION_DENY", rules: [{ when: [condition] }] },
  });
  const regex = { values: [{ regex: "a" }] };
  test.each<[what: string, wire: Wire, problem: string]>([
    ["no resource", {}, "resource: has none of requestAuthentication"],
    ["two resources", { keySet: {}, gateway: {} }, "resource: has both gateway and keySet"],
    ["no meta", { gateway: {} }, "gateway.meta: is missing"],
    ["no target", { requestAuthentication: { meta } }, "requestAuthentication.target: is missing"],
    ["an empty target", { requestAuthentication: { meta, target: {} } }, "requestAuthentication.target: has none of"],
    ["no action", { authorizationPolicy: { meta, target } }, "authorizationPolicy.action: is ACTION_UNSPECIFIED"],
    ["no key set state", { keySet: { name: "a" } }, "keySet.state: is STATE_UNSPECIFIED"],
    ["an empty key", { keySet: { state: 1, keys: [{}] } }, "keySet.keys[0]: has none of rsa"],
    ["a curve unknown", { keySet: { state: 1, keys: [{ ec: {} }] } }, "keySet.keys[0].ec.crv: is CURVE_UNSPECIFIED"],
    ["no attribute", when({ strings: {} }), "authorizationPolicy.rules[0].when[0].attribute: is ATTRIBUTE_UNSPECIFIED"],
    [
      "no comparison",
      when({ attribute: "ATTRIBUTE_HOST" }),
      "authorizationPolicy.rules[0].when[0]: has none of strings",
    ],
    [
      "another comparison",
      when({ attribute: "ATTRIBUTE_HOST", ports: {} }),
      "authorizationPolicy.rules[0].when[0]: has the comparison of another attribute",
    ],
    [
      "another's name",
      when({ attribute: "ATTRIBUTE_HOST", name: "x", strings: {} }),
      "authorizationPolicy.rules[0].when[0].name: does not go with host",
    ],
    [
      "another's key",
      when({ attribute: "ATTRIBUTE_HEADER", key: "x", strings: {} }),
      "authorizationPolicy.rules[0].when[0].key: does not go with header",
    ],
    [
      "another's claim path",
      when({ attribute: "ATTRIBUTE_HEADER", claimPath: ["x"], strings: {} }),
      "authorizationPolicy.rules[0].when[0].claimPath: does not go with header",
    ],
    [
      "a regex in an AuthorizationPolicy",
      when({ attribute: "ATTRIBUTE_HOST", strings: regex }),
      "authorizationPolicy.rules[0].when[0].values[0]: regex is not allowed here",
    ],
    [
      "a regex for a path",
      when({ attribute: "ATTRIBUTE_PATH", strings: regex }),
      "authorizationPolicy.rules[0].when[0].values[0]: regex is not allowed here",
    ],
    [
      "half a principal",
      when({ attribute: "ATTRIBUTE_REQUEST_PRINCIPAL", requestPrincipals: { values: [{ issuer: { exact: "" } }] } }),
      "authorizationPolicy.rules[0].when[0].values[0].subject: is missing",
    ],
    [
      "a template in a VirtualService",
      { virtualService: { meta, http: [{ delegate: {}, match: [{ uri: { template: "a" } }] }] } },
      "virtualService.http[0].match[0].uri: template is not allowed here",
    ],
    ["no route action", { virtualService: { meta, http: [{}] } }, "virtualService.http[0]: has none of route"],
    [
      "no header operations",
      { virtualService: { meta, http: [{ delegate: {} }] } },
      "virtualService.http[0].requestHeaders: is missing",
    ],
    [
      "a time past 2^53",
      { gateway: { meta: { createdAtMs: "9007199254740993" } } },
      "gateway.meta.createdAtMs: is larger",
    ],
    ["mesh settings unset", { meshConfig: {} }, "meshConfig.pathNormalization: is PATH_NORMALIZATION_UNSPECIFIED"],
    ["a protocol unset", { extensionProvider: {} }, "extensionProvider.protocol: is PROTOCOL_UNSPECIFIED"],
  ])("%s", (_what, wire, problem) => {
    const error = decodeErrorOf(raw.encode({ minReaderVersion: 1, ...wire }));
    expect(error.code).toBe("INVALID_SHAPE");
    expect(error.message).toContain(problem);
  });

  test("an enum value that this reader does not know", () => {
    const known = raw.encode({ keySet: { name: "a", state: "STATE_READY" } });
    const unknown = Uint8Array.from(known, (byte, index) => (index === known.length - 1 ? 99 : byte));
    expect(decodeErrorOf(unknown).message).toBe("keySet.state: is 99, which this reader does not know");
  });

  test("text that is no UTF-8", () => {
    const bytes = Uint8Array.from(raw.encode({ keySet: { name: "aaa", state: "STATE_READY" } }));
    bytes[bytes.indexOf(0x61)] = 0xff;
    expect(decodeErrorOf(bytes)).toMatchObject({
      code: "MALFORMED_BYTES",
      message: expect.stringContaining("invalid UTF-8"),
    });
  });

  test("text that runs over the end of its message", () => {
    const bytes = Uint8Array.from(raw.encode({ keySet: { name: "aaa" } }));
    bytes[bytes.indexOf(0x61) - 1] = 9;
    expect(decodeErrorOf(bytes).code).toBe("MALFORMED_BYTES");
  });
});

describe("does not write", () => {
  test.each(["\ud800", `${"long enough for the native writer".repeat(2)}\udc00`])(
    "half of a surrogate pair",
    (value) => {
      const broken = { ...policy, target: { kind: "selector", matchLabels: [{ name: "app", value }] } } as const;
      expect(encodeErrorOf(broken)).toMatchObject({
        code: "ILL_FORMED_TEXT",
        message:
          "AuthorizationPolicy/foo/bar: authorizationPolicy.target.selector.matchLabels[0].value: holds half of a surrogate pair",
      });
    },
  );

  test.each([-1, 1.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY])("%d as an index", (index) => {
    const broken = { ...policy, rules: [{ index, from: [], to: [], when: [] }] };
    expect(encodeErrorOf(broken)).toMatchObject({
      code: "NUMBER_OUT_OF_RANGE",
      message: `AuthorizationPolicy/foo/bar: rules.index: ${index} is not an integer from 0 to 4294967295`,
    });
  });
});

function expectDecodeErrorOrNothing(bytes: Uint8Array): void {
  try {
    decodeResource(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ResourceDecodeError);
  }
}

function decodeErrorOf(bytes: Uint8Array): ResourceDecodeError {
  return errorOf(ResourceDecodeError, () => decodeResource(bytes));
}

function encodeErrorOf(resource: PolicyResource): ResourceEncodeError {
  return errorOf(ResourceEncodeError, () => encodeResource(resource));
}

function errorOf<Expected extends Error>(type: new (...args: never[]) => Expected, run: () => unknown): Expected {
  try {
    run();
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error(`expected ${type.name}`);
}

/** The same value with the members of all objects in the opposite order. */
function reversed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(reversed) as Value;
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, part]) => [name, reversed(part)])) as Value;
}
