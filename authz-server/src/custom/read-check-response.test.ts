import { type CheckResponse, loadExtAuthz } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtoError } from "../envoy/proto-reader.ts";
import { readCheckResponse } from "./read-check-response.ts";

const CHECK = loadExtAuthz().service.Check;

test("arbitrary bytes are read or refused, and allow only where the protocol's own reader sees code 0", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const ours = attempt(() => readCheckResponse(bytes).kind);
      if (ours !== "allow") return;
      const theirs = attempt(() => CHECK.responseDeserialize(Buffer.from(bytes)).status?.code ?? 0);
      expect(theirs === 0 || theirs === "refused").toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

test("no code but 0 ever allows, whatever else the answer holds", () => {
  const codes = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((code) => code !== 0);
  const rest: fc.Arbitrary<CheckResponse> = fc.constantFrom<CheckResponse>(
    {},
    { okResponse: {} },
    { okResponse: { headers: [{ header: { key: "a", value: "b" } }] } },
    { deniedResponse: {} },
    { deniedResponse: { status: { code: 200 } } },
  );
  fc.assert(
    fc.property(codes, rest, (code, response) => {
      const bytes = CHECK.responseSerialize({ ...response, status: { code } });
      expect(readCheckResponse(bytes).kind).toBe("deny");
    }),
  );
});

function attempt<Value>(read: () => Value): Value | "refused" {
  try {
    return read();
  } catch (error) {
    // A length that runs past the end makes protobufjs throw a RangeError.
    if (error instanceof ProtoError || error instanceof Error) return "refused";
    throw error;
  }
}
