import type { RouteAction } from "@gatehouse/protos";
import { expect, it } from "vitest";
import { httpsRedirect, prepareRedirect } from "./redirect.ts";
import { attributes } from "./testdata/builders.ts";

type Redirect = Extract<RouteAction, { kind: "redirect" }>;

const REF = { kind: "VirtualService", namespace: "foo", name: "vs" } as const;
const NO_CHANGES = { set: [], remove: [] };

function location(fields: Partial<Redirect>, host = "h.com", port = 80): string | undefined {
  const action: Redirect = {
    kind: "redirect",
    uri: "",
    authority: "",
    scheme: "",
    port: null,
    derivePort: "FROM_PROTOCOL_DEFAULT",
    code: 301,
    ...fields,
  };
  const { headers } = prepareRedirect(action, NO_CHANGES, REF)(attributes({ host, path: "/p?q=1" }), { port });
  return headers[0]?.value;
}

// Recorded from Envoy 1.40.
it.each([
  [{ uri: "/new" }, "h.com", "http://h.com/new?q=1"],
  [{ uri: "/new" }, "h.com:8080", "http://h.com:8080/new?q=1"],
  [{ uri: "/new?z=1" }, "h.com", "http://h.com/new?z=1"],
  [{ uri: "new" }, "h.com", "http://h.com/new?q=1"],
  [{ scheme: "https" }, "h.com", "https://h.com/p?q=1"],
  [{ scheme: "https" }, "h.com:80", "https://h.com/p?q=1"],
  [{ scheme: "https" }, "h.com:443", "https://h.com:443/p?q=1"],
  [{ scheme: "https" }, "[::1]:80", "https://[::1]/p?q=1"],
  [{ scheme: "https" }, "[::1]", "https://[::1]/p?q=1"],
  [{ scheme: "http" }, "h.com:80", "http://h.com:80/p?q=1"],
  [{ port: 8443 }, "h.com:8080", "http://h.com:8443/p?q=1"],
  [{ port: 8443, authority: "o:1" }, "h.com", "http://o:1:8443/p?q=1"],
  [{ authority: "o.com" }, "h.com:80", "http://o.com/p?q=1"],
])("%j of %s leads to %s", (fields, host, expected) => {
  expect(location(fields, host)).toBe(expected);
});

it("leaves out a port that the scheme implies, as Istio does", () => {
  expect(location({ port: 443, scheme: "https" })).toBe("https://h.com/p?q=1");
  expect(location({ port: 80 })).toBe("http://h.com/p?q=1");
  expect(location({ port: 80, scheme: "https" })).toBe("https://h.com:80/p?q=1");
});

it("takes the port of the Gateway's server where derivePort says so", () => {
  expect(location({ derivePort: "FROM_REQUEST_PORT" }, "h.com:1", 8081)).toBe("http://h.com:8081/p?q=1");
  expect(location({ derivePort: "FROM_REQUEST_PORT" }, "h.com:1", 80)).toBe("http://h.com:1/p?q=1");
});

it("keeps the port in Envoy's answer of httpsRedirect", () => {
  const { status, headers } = httpsRedirect(attributes({ host: "h.com:80", path: "/p?q" }));
  expect([status, headers]).toEqual([301, [{ name: "location", value: "https://h.com:80/p?q" }]]);
});
