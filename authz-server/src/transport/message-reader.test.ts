import { describe, expect, test } from "vitest";
import { GRPC } from "./grpc-status.ts";
import { MessageReader, wholeMessage } from "./message-reader.ts";

function push(reader: MessageReader, ...bytes: number[]): number | null {
  return reader.push(Buffer.from(bytes), 0, bytes.length)?.code ?? null;
}

describe("MessageReader", () => {
  test("puts a message together from single bytes", () => {
    const reader = new MessageReader(100, false);
    for (const byte of [0, 0, 0, 0, 2, 7, 8]) expect(push(reader, byte)).toBeNull();
    expect(reader.finish()).toEqual(Buffer.from([7, 8]));
  });

  test("takes a message of no bytes", () => {
    const reader = new MessageReader(100, false);
    expect(push(reader, 0, 0, 0, 0, 0)).toBeNull();
    expect(reader.finish()).toEqual(Buffer.alloc(0));
  });

  test.each([
    ["a message that is too large, before it has come", [0, 0, 0, 0, 101], false, GRPC.resourceExhausted],
    ["a compressed message", [1, 0, 0, 0, 1], true, GRPC.unimplemented],
    ["the compressed flag without an encoding", [1, 0, 0, 0, 1], false, GRPC.internal],
    ["an unknown flag", [2, 0, 0, 0, 1], false, GRPC.internal],
    ["more than one message", [0, 0, 0, 0, 1, 7, 0], false, GRPC.internal],
  ])("fails for %s", (_, bytes, isCompressed, code) => {
    expect(push(new MessageReader(100, isCompressed), ...bytes)).toBe(code);
  });

  test.each([
    ["nothing", []],
    ["half a prefix", [0, 0]],
    ["half a message", [0, 0, 0, 0, 2, 7]],
  ])("has no message after %s", (_, bytes) => {
    const reader = new MessageReader(100, false);
    push(reader, ...bytes);
    expect(reader.finish()).toMatchObject({ kind: "status", code: GRPC.internal });
  });

  test("holds memory for what has come, not for what was announced", () => {
    const reader = new MessageReader(1 << 20, false);
    push(reader, 0, 0, 16, 0, 0, 1);
    expect(reader.heldBytes).toBeLessThanOrEqual(1024);
  });
});

test("wholeMessage finds a message that fills its frame, and nothing else", () => {
  const frame = Buffer.from([9, 0, 0, 0, 0, 1, 7, 9]);
  expect(wholeMessage(frame, 1, 7, 100)).toEqual(Buffer.from([7]));
  expect(wholeMessage(frame, 1, 8, 100)).toBeUndefined();
  expect(wholeMessage(frame, 1, 6, 100)).toBeUndefined();
  expect(wholeMessage(frame, 1, 7, 0)).toBeUndefined();
});
