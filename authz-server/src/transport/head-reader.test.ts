import { describe, expect, test } from "vitest";
import { HeadReader } from "./head-reader.ts";
import { encodeFields } from "./hpack/encode-fields.ts";
import type { RequestHead } from "./request-head.ts";

const METHODS = new Map([["/a.B/C", "method"]]);
const CALL = {
  ":method": "POST",
  ":scheme": "http",
  ":path": "/a.B/C",
  "content-type": "application/grpc",
  te: "trailers",
};

function read(fields: Readonly<Record<string, string>>, reader = new HeadReader(METHODS, 1000)): RequestHead<string> {
  const block = encodeFields(Object.entries(fields).map(([name, value]) => ({ name, value })));
  return reader.readHead(block, 0, block.length);
}

describe("HeadReader", () => {
  test("reads a call with its time limit and the metadata that is ours", () => {
    const head = read({ ...CALL, "grpc-timeout": "250m", "gatehouse-namespace": "foo", "x-other": "y" });
    expect(head).toMatchObject({ kind: "call", method: "method", timeoutMs: 250, isCompressed: false });
    expect(head.kind === "call" && [head.metadata.get("gatehouse-namespace"), head.metadata.get("x-other")]).toEqual([
      "foo",
      undefined,
    ]);
  });

  test("gives the same object for the same block, and another once the table has changed", () => {
    const reader = new HeadReader(METHODS, 1000);
    const first = read(CALL, reader);
    expect(read(CALL, reader)).toBe(first);
    const indexed = Buffer.concat([encodeFields([]), Buffer.from([0x40, 1, 0x61, 1, 0x62])]);
    reader.readHead(indexed, 0, indexed.length);
    expect(read(CALL, reader)).not.toBe(first);
    expect(read(CALL, reader)).toEqual(first);
  });

  test("tells blocks of the same length apart, whichever came last", () => {
    const reader = new HeadReader(METHODS, 1000);
    const namespaces = ["foo", "bar", "bar", "foo", "foo", "bar", "foo", "fop", "foo"];
    const seen = namespaces.map((namespace) => {
      const head = read({ ...CALL, "gatehouse-namespace": namespace }, reader);
      return head.kind === "call" ? head.metadata.get("gatehouse-namespace") : "no call";
    });
    expect(seen).toEqual(namespaces);
  });

  test("never takes a block for what it meant under another table", () => {
    const reader = new HeadReader(METHODS, 1000);
    const add = (value: string): void => {
      const block = Buffer.concat([
        Buffer.from([0x40, 19]),
        Buffer.from("gatehouse-namespace"),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
      reader.readHead(block, 0, block.length);
    };
    const start = encodeFields(Object.entries(CALL).map(([name, value]) => ({ name, value })));
    const newest = Buffer.concat([start, Buffer.from([0x80 | 62])]);
    const namespaceOf = (): string | undefined => {
      const head = reader.readHead(newest, 0, newest.length);
      return head.kind === "call" ? head.metadata.get("gatehouse-namespace") : "no call";
    };
    add("foo");
    expect([namespaceOf(), namespaceOf()]).toEqual(["foo", "foo"]);
    add("bar");
    expect([namespaceOf(), namespaceOf()]).toEqual(["bar", "bar"]);
  });

  test.each([
    ["no method", { ":method": undefined }],
    ["no path", { ":path": undefined }],
    ["an empty path", { ":path": "" }],
    ["no scheme", { ":scheme": undefined }],
    ["a pseudo-header of answers", { ":status": "200" }],
    ["upper case", { "X-Upper": "x" }],
    ["a blank in a name", { "a b": "x" }],
    ["NUL in a value", { "gatehouse-namespace": "a\0b" }],
    ["a line break in a value", { "gatehouse-namespace": "a\nb" }],
    ["a blank in front of a value", { "gatehouse-namespace": " a" }],
    ["a field of HTTP/1 connections", { "transfer-encoding": "chunked" }],
    ["te without trailers", { te: "gzip" }],
    ["a content-length that is none", { "content-length": "1e3" }],
  ])("calls %s malformed", (_, change) => {
    const fields = Object.entries<string | undefined>({ ...CALL, ...change });
    const pseudo = fields.filter(([name]) => name.startsWith(":"));
    const all = [...pseudo, ...fields.filter(([name]) => !name.startsWith(":"))];
    const present = all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    expect(read(Object.fromEntries(present)).kind).toBe("malformed");
  });

  test("calls a pseudo-header after a field malformed", () => {
    const { ":path": path, ...others } = CALL;
    expect(read({ ...others, ":path": path }).kind).toBe("malformed");
  });

  test.each([
    ["GET", { ":method": "GET" }, { kind: "http", status: "405" }],
    ["another content type", { "content-type": "application/grpc-web" }, { kind: "http", status: "415" }],
    ["an unknown method", { ":path": "/a.B/D" }, { kind: "status", code: 12 }],
    ["a bad time limit", { "grpc-timeout": "1" }, { kind: "status", code: 13 }],
    ["too many headers", { "x-large": "x".repeat(1000) }, { kind: "status", code: 8 }],
  ])("refuses %s", (_, change, answer) => {
    expect(read({ ...CALL, ...change })).toMatchObject({ kind: "refused", answer });
  });
});
