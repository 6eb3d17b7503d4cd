import { type CheckRequest__Output, loadExtAuthz } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCheckRequest } from "./check-request.ts";

const { requestDeserialize } = loadExtAuthz().service.Check;

describe("readCheckRequest, of messages as any encoder may write them", () => {
  it("agrees with the full decoder: fields in any order, repeated, or unknown", () => {
    fc.assert(
      fc.property(anyCheckRequest(), (fields) => {
        const bytes = encode(fields);
        const request = readCheckRequest(bytes);
        expect(request && seen(request)).toEqual(expected(requestDeserialize(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  it("agrees with it on messages of any size", () => {
    fc.assert(
      fc.property(anyCheckRequest(), fc.nat(40_000), (fields, size) => {
        const bytes = Buffer.concat([encode(fields), encode([{ number: 999, value: Buffer.alloc(size) }])]);
        const request = readCheckRequest(bytes);
        expect(request && seen(request)).toEqual(expected(requestDeserialize(bytes)));
      }),
    );
  });

  // The full decoder would only keep the last part.
  it("merges messages that come in parts, as protobuf prescribes", () => {
    fc.assert(
      fc.property(anyCheckRequest(), fc.infiniteStream(fc.nat(3)), (fields, cuts) => {
        const whole = readCheckRequest(encode(fields));
        const parts = readCheckRequest(encode(split(fields, () => cuts.next().value ?? 0)));
        expect(parts && seen(parts)).toEqual(whole && seen(whole));
      }),
      { numRuns: 2000 },
    );
  });
});

/** A field as it goes over the wire: a varint, bytes, or an embedded message. `isOne`: it may come in parts. */
interface Field {
  readonly number: number;
  readonly value: number | Buffer | readonly Field[];
  readonly isOne?: boolean;
}

type Schema = Readonly<Record<number, Kind>>;
type Kind = "text" | "bytes" | "number" | { readonly one: Schema } | { readonly many: Schema };

// As in protos/envoy, with some of the fields that we pass over.
const PEER: Schema = { 1: { one: { 1: { one: { 1: "number", 2: "text", 3: "number" } } } }, 2: "text", 4: "text" };
const ENTRY: Schema = { 1: "text", 2: "text" };
const HEADER: Schema = { 1: "text", 2: "text", 3: "bytes" };
const HTTP: Schema = {
  ...{ 1: "text", 2: "text", 4: "text", 5: "text", 6: "text", 7: "text", 9: "number", 10: "text", 11: "text" },
  12: "bytes",
};
const JOINED: Schema = { ...HTTP, 3: { many: ENTRY } };
const RAW: Schema = { ...HTTP, 13: { one: { 1: { many: HEADER } } } };

function checkRequest(http: Schema): Schema {
  const request: Schema = { 1: { one: { 1: "number" } }, 2: { one: http } };
  return {
    1: {
      one: { 1: { one: PEER }, 2: { one: PEER }, 4: { one: request }, 10: { many: ENTRY }, 12: { one: { 1: "text" } } },
    },
  };
}

/** Envoy sends headers in one of two ways. */
function anyCheckRequest(): fc.Arbitrary<readonly Field[]> {
  return fc.oneof(message(checkRequest(JOINED)), message(checkRequest(RAW)));
}

/** Fields in any order; scalars and lists several times. */
function message(schema: Schema): fc.Arbitrary<readonly Field[]> {
  const known = Object.entries(schema).map(([number, kind]) => fields(Number(number), kind));
  return fc
    .tuple(fc.array(unknownField, { maxLength: 2 }), ...known)
    .map((lists) => lists.flat())
    .chain((all) => fc.shuffledSubarray([...all], { minLength: all.length }));
}

function fields(number: number, kind: Kind): fc.Arbitrary<readonly Field[]> {
  if (kind === "text") return repeated(number, text);
  if (kind === "bytes") return repeated(number, fc.uint8Array({ maxLength: 12 }).map(Buffer.from));
  if (kind === "number") return repeated(number, fc.nat(65_535));
  if ("many" in kind) return repeated(number, message(kind.many), 4);
  return fc
    .option(message(kind.one), { freq: 8 })
    .map((value) => (value === null ? [] : [{ number, value, isOne: true }]));
}

function repeated(number: number, values: fc.Arbitrary<Field["value"]>, maxLength = 2): fc.Arbitrary<readonly Field[]> {
  return fc.array(
    values.map((value) => ({ number, value })),
    { maxLength },
  );
}

const text = fc.string({ unit: "binary-ascii", maxLength: 20 }).map((ascii) => Buffer.from(ascii));

const unknownField: fc.Arbitrary<Field> = fc.record({
  number: fc.integer({ min: 100, max: 2 ** 29 - 1 }),
  value: fc.oneof(fc.nat(), text),
});

function encode(message: readonly Field[]): Buffer {
  return Buffer.concat(
    message.flatMap(({ number, value }) => {
      if (typeof value === "number") return [varint(number * 8), varint(value)];
      const payload = Buffer.isBuffer(value) ? value : encode(value);
      return [varint(number * 8 + 2), varint(payload.length), payload];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

/** Cuts each single message in two, at any field. */
function split(message: readonly Field[], cut: () => number): readonly Field[] {
  return message.flatMap((field) => {
    const { number, value } = field;
    if (typeof value === "number" || Buffer.isBuffer(value)) return [field];
    const inner = split(value, cut);
    if (field.isOne !== true) return [{ number, value: inner }];
    const at = cut();
    return [inner.slice(0, at), inner.slice(at)].map((part) => ({ number, value: part, isOne: true }));
  });
}

type Seen = Omit<NonNullable<ReturnType<typeof readCheckRequest>>, "filterMetadata" | "message">;

function seen({ filterMetadata, message, ...rest }: NonNullable<ReturnType<typeof readCheckRequest>>): Seen {
  return rest;
}

/** What the full decoder sees. */
function expected({ attributes }: CheckRequest__Output): Seen | undefined {
  const http = attributes?.request?.http;
  if (http === null || http === undefined) return undefined;
  const { method, path, host, scheme, headerMap } = http;
  const joined = http.headers.map(({ key, value }) => ({ name: key, value }));
  const raw = (headerMap?.headers ?? []).map(({ key, value, rawValue }) => ({
    name: key,
    value: rawValue.length > 0 ? rawValue.toString("latin1") : value,
  }));
  const texts = [method, path, host, scheme, ...[...joined, ...raw].flatMap(({ name, value }) => [name, value])];
  return {
    ...{ method, path, host, scheme },
    headers: [...joined, ...raw],
    hasRawHeaders: headerMap !== null,
    hasNul: texts.some((one) => one.includes("\0")),
    source: peerOf(attributes?.source),
    destination: peerOf(attributes?.destination),
    sni: attributes?.tlsSession?.sni ?? "",
    contextExtensions: new Map((attributes?.contextExtensions ?? []).map(({ key, value }) => [key, value])),
  };
}

type Peer = NonNullable<CheckRequest__Output["attributes"]>["source"];

function peerOf(peer: Peer | undefined): Seen["source"] & Seen["destination"] {
  const socket = peer?.address?.socketAddress;
  return { address: socket?.address ?? "", port: socket?.portValue ?? 0, principal: peer?.principal ?? "" };
}
