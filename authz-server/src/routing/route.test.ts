import type { HttpRoute } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import type { Respond } from "../decision.ts";
import { allowRequest } from "./allow-request.ts";
import type { Forward } from "./prepared-action.ts";
import { prepareVirtualService } from "./prepared-route.ts";
import { chooseRoute, type RoutingMode, responseChangesOf } from "./route.ts";
import { buildRouteTable, serversOf } from "./route-table.ts";
import {
  attributes,
  destination,
  gateway,
  httpMatch,
  httpRoute,
  ingress,
  NO_OPERATIONS,
  type TestRequest,
  virtualService,
} from "./testdata/builders.ts";

const CLUSTER: RoutingMode = { routing: "cluster", unmatchedHosts: "notFound" };
const HEADER: RoutingMode = { routing: "header", unmatchedHosts: "notFound" };

interface Circumstances {
  readonly mode?: RoutingMode;
  readonly random?: () => number;
}

function choose(route: Partial<HttpRoute>, request: TestRequest = {}, circumstances: Circumstances = {}) {
  const { mode = CLUSTER, random = () => 0 } = circumstances;
  const services = [prepareVirtualService(virtualService("vs", { hosts: ["example.com"], http: [httpRoute(route)] }))];
  const table = buildRouteTable(serversOf(ingress(), [gateway({})]) ?? [], 80, ingress(), services);
  return chooseRoute(table, attributes(request), mode, random);
}

/** What happens to the response headers of a request that is refused before a route is taken. */
function refused(request: TestRequest, { mode = CLUSTER, httpsRedirect = false } = {}): readonly string[] | undefined {
  const responseHeaders = { ...NO_OPERATIONS, set: [{ name: "x", value: "a" }] };
  const http = [httpRoute({ match: [httpMatch({ uri: { kind: "exact", value: "/known" } })], responseHeaders })];
  const services = [prepareVirtualService(virtualService("vs", { hosts: ["example.com"], http }))];
  const table = buildRouteTable(serversOf(ingress(), [gateway({ httpsRedirect })]) ?? [], 80, ingress(), services);
  return responseChangesOf(table, attributes(request), mode, () => 0)?.set.map(({ value }) => value);
}

function headersOf(decision: Forward | Respond): Readonly<Record<string, string>> {
  if (decision.kind === "respond") throw new Error(`answered ${decision.status}`);
  return Object.fromEntries(decision.setHeaders.map(({ name, value }) => [name, value]));
}

const toTwo = (a: number, b: number): Partial<HttpRoute> => ({
  action: { kind: "route", destinations: [destination("a", a), destination("b", b)] },
});

describe("destinations", () => {
  it("are named by host, port and subset", () => {
    const action = { kind: "route", destinations: [{ ...destination("web"), subset: "v1" }] } as const;
    expect(headersOf(choose({ action, name: "main" }))).toEqual({
      "x-gatehouse-cluster": "web:80/v1",
      "x-gatehouse-route": "foo/vs/main",
    });
  });

  it("are chosen by weight", () => {
    const picks = new Map<string | undefined, number>();
    for (let i = 0; i < 1000; i++) {
      const cluster = headersOf(choose(toTwo(1, 3), {}, { random: () => i / 1000 }))["x-gatehouse-cluster"];
      picks.set(cluster, (picks.get(cluster) ?? 0) + 1);
    }
    expect([...picks]).toEqual([
      ["a:80", 250],
      ["b:80", 750],
    ]);
  });

  it.each([
    [0, 1, "b:80"],
    [1, 0, "a:80"],
  ])("never get a request with weight 0 (%i, %i)", (a, b, expected) => {
    for (const random of [0, 0.5, 1 - Number.EPSILON]) {
      expect(headersOf(choose(toTwo(a, b), {}, { random: () => random }))["x-gatehouse-cluster"]).toBe(expected);
    }
  });

  it("get no request when all weights are 0", () => {
    expect(choose(toTwo(0, 0))).toMatchObject({ kind: "respond", status: 404 });
  });
});

describe("headers", () => {
  const set = (name: string, value: string) => ({ ...NO_OPERATIONS, set: [{ name, value }] });

  it("of an only destination go over those of the route, of one of several under them", () => {
    const only = { action: { kind: "route", destinations: [{ ...destination("a"), requestHeaders: set("x", "d") }] } };
    const requestHeaders = set("x", "r");
    expect(headersOf(choose({ ...(only as Partial<HttpRoute>), requestHeaders }))["x"]).toBe("d");
    const several = [{ ...destination("a"), requestHeaders: set("x", "d") }, destination("b")];
    expect(headersOf(choose({ action: { kind: "route", destinations: several }, requestHeaders }))["x"]).toBe("r");
  });

  it.each([
    ["rewrite", { uri: null, uriRegex: null, authority: "rewrite" }, set("host", "route"), "rewrite"],
    ["the route's headers", null, set("host", "route"), "route"],
    ["the destination's headers", null, NO_OPERATIONS, "destination"],
  ])("change the host by %s first", (...[, rewrite, requestHeaders, expected]) => {
    const destinations = [{ ...destination("a"), requestHeaders: set(":authority", "destination") }];
    const headers = headersOf(choose({ action: { kind: "route", destinations }, rewrite, requestHeaders }));
    expect([headers[":authority"], headers["x-envoy-original-host"]]).toEqual([expected, "example.com"]);
  });

  it("that ext_authz can't add or remove are left to Envoy's filter, on the route for explicit retries", () => {
    const requestHeaders = { ...NO_OPERATIONS, add: [{ name: "x-a", value: "1,2&\u00e9" }] };
    const responseHeaders = { ...NO_OPERATIONS, remove: ["x-b", "x-c"] };
    expect(headersOf(choose({ requestHeaders, responseHeaders }))).toMatchObject({
      "x-gatehouse-request-add": "x-a=1%2c2%26%c3%a9",
      "x-gatehouse-response-remove": "x-b,x-c",
      "x-envoy-max-retries": "2",
    });
  });

  it("tell time-out and retries", () => {
    const retries = { attempts: 1, perTryTimeoutMs: 0, retryOn: "5xx" };
    expect(headersOf(choose({ timeoutMs: 0, retries }))).toMatchObject({
      "x-envoy-upstream-rq-timeout-ms": "0",
      "x-envoy-max-retries": "1",
    });
  });
});

describe("the order of Envoy's filters", () => {
  const cors = {
    allowOrigins: [{ kind: "exact", value: "*" }],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    maxAgeSec: null,
    allowCredentials: null,
    unmatchedPreflights: "FORWARD",
  } as const;
  const preflight: TestRequest = {
    method: "OPTIONS",
    headers: [
      ["origin", "https://a"],
      ["access-control-request-method", "PUT"],
    ],
  };

  it("aborts before CORS is looked at", () => {
    const fault = { abort: { status: 418, percentage: 100 }, delay: null };
    expect(choose({ cors, fault }, preflight)).toMatchObject({ status: 418, headers: [] });
    expect(choose({ cors }, preflight)).toMatchObject({ status: 200, reason: "cors_preflight" });
  });

  it("gives an abort the response headers of its route and destination", () => {
    const fault = { abort: { status: 418, percentage: 100 }, delay: null };
    const ofDestination = { ...NO_OPERATIONS, set: [{ name: "x-a", value: "1" }] };
    const responseHeaders = { ...NO_OPERATIONS, set: [{ name: "content-type", value: "a/b" }] };
    const destinations = [{ ...destination("a"), responseHeaders: ofDestination }];
    expect(choose({ fault, responseHeaders, action: { kind: "route", destinations } })).toMatchObject({
      status: 418,
      headers: [
        { name: "content-type", value: "a/b" },
        { name: "x-a", value: "1" },
      ],
    });
  });

  it("keeps CORS away from direct responses, as Envoy does", () => {
    const action = { kind: "directResponse", status: 299, body: "" } as const;
    expect(choose({ cors, action }, preflight)).toMatchObject({ status: 299, headers: [] });
  });
});

describe("a refusal", () => {
  const known = { path: "/known", host: "example.com" };

  it("gets the response headers of the route that the request would have taken", () => {
    expect(refused(known)).toEqual(["a"]);
    expect(refused({ ...known, path: "/other" })).toBeUndefined();
    expect(refused({ ...known, host: "other.com" })).toBeUndefined();
  });

  it("gets none where that is the redirect to https", () => {
    expect(refused({ ...known, scheme: "http" }, { httpsRedirect: true })).toBeUndefined();
    expect(refused({ ...known, scheme: "https" }, { httpsRedirect: true })).toEqual(["a"]);
  });

  it("is left alone where routes are Envoy's own", () => {
    expect(refused(known, { mode: HEADER })).toBeUndefined();
  });
});

describe("routing by header", () => {
  it("tells nothing but the route", () => {
    const route: Partial<HttpRoute> = {
      rewrite: { uri: "/x", uriRegex: null, authority: "h" },
      timeoutMs: 5,
      retries: { attempts: 3, perTryTimeoutMs: 0, retryOn: "" },
      fault: { abort: null, delay: { delayMs: 5, percentage: 100 } },
      requestHeaders: { ...NO_OPERATIONS, set: [{ name: "a", value: "b" }] },
      responseHeaders: { ...NO_OPERATIONS, set: [{ name: "a", value: "b" }], remove: ["c"] },
    };
    expect(choose(route, {}, { mode: HEADER })).toEqual({
      kind: "forward",
      setHeaders: [{ name: "x-gatehouse-route", value: "foo/vs/0" }],
      removeHeaders: [],
      responseHeaders: [],
      path: null,
    });
  });

  it("answers what Gatehouse can answer itself", () => {
    const action = { kind: "directResponse", status: 204, body: "" } as const;
    expect(choose({ action }, {}, { mode: HEADER })).toMatchObject({ kind: "respond", status: 204 });
  });

  it.each(["cluster", "header"] as const)("or by %s treats an unknown host as unmatchedHosts says", (routing) => {
    const unknown = { host: "unknown.org" };
    const found = choose({}, unknown, { mode: { routing, unmatchedHosts: "notFound" } });
    expect(found).toMatchObject({ kind: "respond", status: 404, body: "" });
    const passed = choose({}, unknown, { mode: { routing, unmatchedHosts: "passthrough" } });
    expect(passed).toMatchObject({ kind: "forward", setHeaders: [], path: null });
  });

  it("answers 404 where a known host has no route for the request, passthrough or not", () => {
    const match = [httpMatch({ uri: { kind: "exact", value: "/only" } })];
    const mode = { routing: "header", unmatchedHosts: "passthrough" } as const;
    expect(choose({ match }, {}, { mode })).toMatchObject({ kind: "respond", status: 404 });
  });
});

describe("allowRequest", () => {
  const line = (name: string, value: string) => ({ name, value });

  it("changes nothing that need not change", () => {
    expect(allowRequest(attributes({ path: "/a?b" }), null)).toMatchObject({ setHeaders: [], removeHeaders: [] });
  });

  it("sends on the path that was authorised", () => {
    const request = { ...attributes({ path: "/a/../b?c" }), path: "/b" };
    expect(allowRequest(request, null).setHeaders).toEqual([line(":path", "/b?c")]);
  });

  it("joins several values that claims give to one header", () => {
    const addedHeaders = [line("x-role", "a"), line("x-role", "b")];
    expect(allowRequest(attributes({ addedHeaders }), null).setHeaders).toEqual([line("x-role", "a,b")]);
  });

  it("never removes what it sets, because Envoy removes last", () => {
    const request = attributes({ addedHeaders: [line("x-sub", "a")], removedHeaders: ["x-sub", "x_sub"] });
    expect(allowRequest(request, null)).toMatchObject({ setHeaders: [line("x-sub", "a")], removeHeaders: ["x_sub"] });
  });

  it("lets the route remove and overwrite headers made from claims", () => {
    const request = attributes({ addedHeaders: [line("x-sub", "a"), line("x-role", "b")] });
    const requestHeaders = { ...NO_OPERATIONS, remove: ["x-sub"], set: [{ name: "x-role", value: "c" }] };
    const route = choose({ requestHeaders });
    if (route.kind === "respond") throw new Error("no route");
    const { setHeaders, removeHeaders } = allowRequest(request, route);
    expect(setHeaders.filter(({ name }) => name.startsWith("x-role") || name === "x-sub")).toEqual([
      line("x-role", "c"),
    ]);
    expect(removeHeaders).toEqual(["x-sub"]);
  });
});
