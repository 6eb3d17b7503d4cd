import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../http-request.ts";
import { remoteAddress } from "./remote-address.ts";

function request(peer: string, ...forwardedFor: readonly string[]): HttpRequest {
  return {
    method: "GET",
    path: "/",
    host: "h",
    scheme: "http",
    headers: forwardedFor.map((value) => ({ name: "x-forwarded-for", value })),
    hasRawHeaders: true,
    source: { address: peer, principal: "" },
    destination: { address: "127.0.0.1", port: 80 },
    sni: "",
    contextExtensions: new Map(),
    filterMetadata: () => undefined,
  };
}

// Envoy has appended the peer before it asks.
describe("the client's address at a gateway", () => {
  it.each([
    [0, ["1.1.1.1,9.9.9.9"], "9.9.9.9"],
    [1, ["1.1.1.1,9.9.9.9"], "1.1.1.1"],
    [1, ["1.1.1.1, 2.2.2.2,9.9.9.9"], "2.2.2.2"],
    [1, ["1.1.1.1", "2.2.2.2", "9.9.9.9"], "2.2.2.2"],
    [2, ["1.1.1.1,2.2.2.2,9.9.9.9"], "1.1.1.1"],
    [2, ["1.1.1.1,9.9.9.9"], "9.9.9.9"],
    [1, ["nonsense,9.9.9.9"], "9.9.9.9"],
    [1, ["9.9.9.9"], "9.9.9.9"],
    [1, [], "9.9.9.9"],
    [1, ["1.1.1.1,8.8.8.8"], "9.9.9.9"],
    [1, ["2001:db8::1,9.9.9.9"], "2001:db8::1"],
  ])("behind %i proxies, with %j: %s", (proxies, forwardedFor, expected) => {
    expect(remoteAddress(request("9.9.9.9", ...forwardedFor), true, proxies)).toBe(expected);
  });
});

describe("the client's address at a sidecar", () => {
  it.each([
    [0, ["1.1.1.1,2.2.2.2"], "2.2.2.2"],
    [1, ["1.1.1.1,2.2.2.2"], "1.1.1.1"],
    [2, ["1.1.1.1,2.2.2.2"], "9.9.9.9"],
    [0, ["1.1.1.1,nonsense"], "9.9.9.9"],
    [0, [""], "9.9.9.9"],
    [0, [], "9.9.9.9"],
  ])("behind %i proxies, with %j: %s", (proxies, forwardedFor, expected) => {
    expect(remoteAddress(request("9.9.9.9", ...forwardedFor), false, proxies)).toBe(expected);
  });
});
