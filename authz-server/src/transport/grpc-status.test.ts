import { expect, test } from "vitest";
import { encodeGrpcMessage } from "./grpc-status.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

test("a message is escaped but for printable ASCII, and the percent sign is", () => {
  expect(encodeGrpcMessage("a b~%\n\u00e4")).toBe("a b~%25%0A%C3%A4");
});

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3000],
  ["500m", 500],
  ["1500u", 1.5],
  ["99999999n", 99.999_999],
  ["", undefined],
  ["5", undefined],
  ["m", undefined],
  ["-5m", undefined],
  ["123456789m", undefined],
  ["5 m", undefined],
  ["5x", undefined],
])("the time limit %j is %s ms", (text, ms) => {
  expect(parseGrpcTimeout(text)).toBe(ms);
});
