import { describe, expect, it } from "vitest";
import { createAddressGuard, type GuardOptions } from "./address-guard.ts";

function guard(options: Partial<GuardOptions> = {}) {
  return createAddressGuard({ allowLoopback: false, blockedCidrs: [], allowedHosts: [], ...options });
}

describe("the guard of addresses", () => {
  it.each([
    ["NAT64", "64:ff9b::a9fe:a9fe"],
    ["NAT64 with a prefix of one's own", "64:ff9b:1:7::169.254.169.254"],
    ["6to4", "2002:a9fe:a9fe::1"],
    ["v4-mapped", "::ffff:169.254.169.254"],
  ])("sees a metadata service behind an address of %s", (_name, address) => {
    expect(guard().refusesAddress(address)).toMatch(/metadata/);
  });

  it("lets other addresses behind NAT64 through", () => {
    expect(guard().refusesAddress("64:ff9b:1::203.0.113.7")).toBe(null);
  });

  it("takes names, names under a domain and addresses as allowed hosts", () => {
    const { refusesHost } = guard({ allowedHosts: ["IdP.example.com", "*.example.org", "10.0.0.7", "fd00::7"] });
    const asked = ["idp.example.com", "a.example.org", "10.0.0.7", "[fd00::7]", "example.org", "a.idp.example.com"];
    expect(asked.filter((host) => refusesHost(host) === null)).toEqual(asked.slice(0, 4));
  });

  it.each(["https://idp.example.com", "idp.example.com:443", "*", "a.*.example.com", ""])(
    "says that %j is no allowed host",
    (host) => {
      expect(() => guard({ allowedHosts: [host] })).toThrow(`allowed hosts: "${host}" is not a host; expected`);
    },
  );

  it("says which network is none", () => {
    expect(() => guard({ blockedCidrs: ["10.0.0.0/8", "10.0.0.0/40"] })).toThrow('blocked networks: "10.0.0.0/40"');
  });
});
