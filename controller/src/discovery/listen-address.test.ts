import { expect, it } from "vitest";
import { formatListenAddress, parseListenAddress } from "./listen-address.ts";

it.each([
  ["127.0.0.1:18000", "127.0.0.1:18000"],
  ["127.9.9.9:0", "127.9.9.9:0"],
  ["[::1]:18000", "[::1]:18000"],
  ["localhost:18000", "127.0.0.1:18000"],
  ["unix:/run/gatehouse/xds.sock", "unix:/run/gatehouse/xds.sock"],
])("accepts %s", (text, expected) => {
  expect(formatListenAddress(parseListenAddress(text))).toBe(expected);
});

it.each([
  ["0.0.0.0:18000", "without TLS only a loopback address"],
  ["[::]:18000", "without TLS only a loopback address"],
  ["10.0.0.1:18000", "without TLS only a loopback address"],
  ["127.evil.example:18000", "without TLS only a loopback address"],
  ["[::ffff:10.0.0.1]:18000", "without TLS only a loopback address"],
  [":18000", "expected HOST:PORT"],
  ["127.0.0.1", "expected HOST:PORT"],
  ["127.0.0.1:70000", "expected HOST:PORT"],
  ["unix:relative.sock", "must be absolute"],
])("refuses %s", (text, message) => {
  expect(() => parseListenAddress(text)).toThrow(message);
});
