import type { Gateway, HttpMatch, StringMatch, VirtualService } from "@gatehouse/protos";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inlineDelegates } from "./delegates.ts";
import { findVirtualHost } from "./host-match.ts";
import { prepareVirtualService } from "./prepared-route.ts";
import { chooseRoute } from "./route.ts";
import { buildRouteTable, type RouteTable, serversOf } from "./route-table.ts";
import {
  attributes,
  destination,
  gateway,
  httpMatch,
  httpRoute,
  ingress,
  virtualService,
} from "./testdata/builders.ts";

function tableOf(
  services: readonly VirtualService[],
  gateways: readonly Gateway[] = [gateway({})],
  port = 80,
): RouteTable {
  const servers = serversOf(ingress(), gateways);
  if (servers === null) throw new Error("fixture is no gateway");
  return buildRouteTable(servers, port, ingress(), inlineDelegates(services.map(prepareVirtualService)));
}

/** Host, then the ids of its routes in order. */
function show({ virtualHosts }: RouteTable): Readonly<Record<string, string>> {
  const text = (ids: readonly string[]) => ids.join(" ").replaceAll("foo/", "");
  return Object.fromEntries([...virtualHosts].map(([host, { routes }]) => [host, text(routes.map(({ id }) => id))]));
}

const at = (prefix: string, fields: Partial<HttpMatch> = {}) =>
  httpRoute({ name: prefix.slice(1), match: [httpMatch({ uri: { kind: "prefix", value: prefix }, ...fields })] });

const word = fc.constantFrom("/", "/a", "/a/b", "/A", "a", "b", "ab", "GET", "x");
const textMatch: fc.Arbitrary<StringMatch> = fc.oneof(
  fc.record({ kind: fc.constantFrom("exact" as const, "prefix" as const), value: word }),
  fc.constant({ kind: "present" as const }),
  fc.constant({ kind: "regex" as const, value: "/?a.*" }),
);
const anyMatch: fc.Arbitrary<HttpMatch> = fc
  .record(
    {
      uri: textMatch,
      ignoreUriCase: fc.boolean(),
      method: textMatch,
      authority: textMatch,
      headers: fc.array(fc.record({ name: fc.constantFrom("x-a", ":path", "host"), match: textMatch }), {
        maxLength: 2,
      }),
      withoutHeaders: fc.array(fc.record({ name: fc.constant("x-a"), match: textMatch }), { maxLength: 1 }),
    },
    { requiredKeys: [] },
  )
  .map(httpMatch);

it("finds among many routes the one that asking each in turn finds", () => {
  const many = fc.array(fc.array(anyMatch, { maxLength: 3 }), { minLength: 5, maxLength: 40, size: "max" });
  const request = fc.record({ path: word, method: word, host: word, value: word });
  let chosen = 0;
  fc.assert(
    fc.property(many, fc.array(request, { maxLength: 20 }), (matches, requests) => {
      const http = matches.map((match, index) => httpRoute({ index, match }));
      const host = tableOf([virtualService("v", { http })]).virtualHosts.get("*");
      for (const { path, method, host: authority, value } of requests) {
        const seen = attributes({ path, method, host: authority, headers: [["x-a", value]] });
        const expected = host?.routes.find((route) => route.matches(seen));
        expect(host?.findRoute(seen)).toBe(expected);
        chosen += expected === undefined ? 0 : 1;
      }
    }),
    { numRuns: 500 },
  );
  expect(chosen).toBeGreaterThan(1000);
});

describe("hosts", () => {
  it.each([
    [["*"], ["a.com", "*.b.com"], ["a.com", "*.b.com"]],
    [["*.com"], ["a.com", "b.org"], ["a.com"]],
    [["a.com", "b.com"], ["*"], ["a.com", "b.com"]],
    [["foo/*"], ["a.com"], ["a.com"]],
    [["bar/*"], ["a.com"], []],
    [["./a.com"], ["*"], ["a.com"]],
    [["*/a.com"], ["*"], ["a.com"]],
  ])("server %j with VirtualService %j serves %j", (serverHosts, hosts, expected) => {
    expect(Object.keys(show(tableOf([virtualService("v", { hosts })], [gateway({ hosts: serverHosts })])))).toEqual(
      expected,
    );
  });
});

describe("the order of routes", () => {
  it("is that of the VirtualServices of a host, with catch-alls at the end", () => {
    const first = virtualService("first", { http: [at("/a"), httpRoute({ name: "rest" })] });
    const second = virtualService("second", { http: [at("/b"), httpRoute({ name: "rest" })] });
    expect(show(tableOf([first, second]))).toEqual({ "*": "first/a second/b first/rest second/rest" });
  });

  it("ends in a VirtualService with its first catch-all", () => {
    expect(show(tableOf([virtualService("v", { http: [at("/a"), at("/"), at("/b")] })]))).toEqual({
      "*": "v/a v/0",
    });
  });

  it("puts private VirtualServices first, then those meant for the namespace, then public ones", () => {
    const exported = (name: string, exportTo: readonly string[], namespace = "foo") =>
      virtualService(name, { exportTo, namespace, http: [at(`/${name}`)] });
    const services = [
      exported("public", ["*"]),
      exported("meant", ["istio-system"]),
      exported("own", ["."], "istio-system"),
      exported("others", ["."]),
      exported("elsewhere", ["bar"]),
      exported("nobody", ["~"]),
    ];
    expect(show(tableOf(services))).toEqual({ "*": "istio-system/own/own meant/meant public/public" });
  });
});

describe("a route is offered", () => {
  it.each<readonly [Partial<HttpMatch>, boolean]>([
    [{ port: 80 }, true],
    [{ port: 443 }, false],
    [{ gateways: ["foo/gw"] }, true],
    [{ gateways: ["foo/other"] }, false],
    [{ sourceLabels: [{ name: "istio", value: "ingressgateway" }] }, true],
    [{ sourceLabels: [{ name: "istio", value: "other" }] }, false],
    [{ sourceNamespace: "istio-system" }, true],
    [{ sourceNamespace: "foo" }, false],
    [{ gateways: ["foo/gw"], sourceNamespace: "foo" }, true],
  ])("for %j: %s", (fields, isOffered) => {
    expect(show(tableOf([virtualService("v", { http: [at("/a", fields)] })]))).toEqual(isOffered ? { "*": "v/a" } : {});
  });

  it("at the gateways of its VirtualService only, whatever its match names", () => {
    const http = [at("/a", { gateways: ["foo/gw"] })];
    expect(show(tableOf([virtualService("v", { gateways: ["foo/other"], http })]))).toEqual({});
    expect(show(tableOf([virtualService("v", { gateways: ["mesh"], http })]))).toEqual({});
  });
});

describe("a host without routes", () => {
  it("is left to a wider host, as in Istio", () => {
    const narrow = virtualService("narrow", { hosts: ["a.com"], http: [at("/a", { port: 443 })] });
    expect(show(tableOf([narrow, virtualService("wide")]))).toEqual({ "*": "wide/0" });
  });

  it("is kept when a route could not be translated, or the whole can't be enforced", () => {
    const broken = virtualService("broken", { hosts: ["a.com"], http: [], keepsHosts: true });
    const { meta } = virtualService("refused");
    const refused = virtualService("refused", { hosts: ["b.com"], meta: { ...meta, unenforceable: "too new" } });
    expect(show(tableOf([broken, refused, virtualService("wide")]))).toEqual({
      "a.com": "",
      "b.com": "",
      "*": "wide/0",
    });
  });
});

describe("a host that belongs to another namespace", () => {
  const refusedHosts = (...hosts: readonly string[]) => hosts.map((host) => ({ gateway: "foo/gw", host }));
  const thief = virtualService("thief", {
    namespace: "bar",
    hosts: ["a.com", "b.com"],
    http: [at("/thief")],
    refusedHosts: refusedHosts("a.com"),
  });

  it("has its owner's routes only; other hosts of the object are served", () => {
    const owner = virtualService("owner", { hosts: ["a.com"], http: [at("/own")] });
    const expected = { "a.com": "owner/own", "b.com": "bar/thief/thief" };
    expect(show(tableOf([owner, thief]))).toEqual(expected);
    expect(show(tableOf([thief, owner]))).toEqual(expected);
  });

  it("falls to its owner's wider host", () => {
    const owner = virtualService("owner", { hosts: ["*.com"], http: [at("/own")] });
    expect(show(tableOf([thief, owner]))).toEqual({ "*.com": "owner/own", "b.com": "bar/thief/thief" });
  });

  it("is nobody's where its owner is not to be seen: 404, never a route of Envoy's own", () => {
    expect(show(tableOf([thief]))).toEqual({ "b.com": "bar/thief/thief", "a.com": "" });
  });

  it("is so at that gateway and by that name only", () => {
    const other = [{ gateway: "foo/other", host: "a.com" }];
    const wide = virtualService("wide", { hosts: ["*"], refusedHosts: refusedHosts("*.a.com") });
    const offered = gateway({ hosts: ["*.a.com", "*.b.com"] });
    expect(show(tableOf([virtualService("v", { hosts: ["a.com"], refusedHosts: other })]))).toEqual({ "a.com": "v/0" });
    expect(show(tableOf([wide], [offered]))).toEqual({ "*.b.com": "wide/0", "*.a.com": "" });
  });
});

describe("httpsRedirect", () => {
  const redirecting = gateway({ httpsRedirect: true, hosts: ["a.com", "b.com", "foo/c.com"] });

  it("holds for hosts with and without a VirtualService", () => {
    const { virtualHosts } = tableOf([virtualService("v", { hosts: ["a.com", "c.com"] })], [redirecting]);
    const hosts = [...virtualHosts].map(([host, { httpsRedirect, routes }]) => [host, httpsRedirect, routes.length]);
    expect(hosts).toEqual([
      ["a.com", true, 1],
      ["c.com", true, 1],
      ["b.com", true, 0],
    ]);
  });

  it("answers plain requests only", () => {
    const table = tableOf([virtualService("v")], [gateway({ httpsRedirect: true })]);
    const mode = { routing: "cluster", unmatchedHosts: "notFound" } as const;
    const kindOf = (scheme: string) => chooseRoute(table, attributes({ scheme }), mode, () => 0).kind;
    expect([kindOf("http"), kindOf("https")]).toEqual(["respond", "forward"]);
  });
});

it("has no routes of servers for other protocols or other ports", () => {
  expect(show(tableOf([virtualService("v")], [gateway({ protocol: "TLS" }, { port: 443 })]))).toEqual({});
});

it("never leads to a destination of a VirtualService whose host or gateway does not fit", () => {
  const host = fc.constantFrom("a.com", "b.a.com", "*.a.com", "b.org", "*.org", "*");
  const gateways = fc.subarray(["foo/gw", "foo/other", "mesh"], { minLength: 1 });
  const exportTo = fc.constantFrom<readonly string[]>([], ["*"], ["."], ["~"], ["istio-system"], ["bar"]);
  const service = fc.record({ hosts: fc.uniqueArray(host, { minLength: 1, maxLength: 2 }), gateways, exportTo });
  const fits = (patterns: readonly string[], name: string) =>
    patterns.some((pattern) =>
      pattern.startsWith("*") ? name.length >= pattern.length && name.endsWith(pattern.slice(1)) : pattern === name,
    );
  fc.assert(
    fc.property(
      fc.array(service, { maxLength: 6 }),
      fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("a.com", "b.a.com", "c.org", "b.org", "A.com:80"),
      (services, serverHosts, authority) => {
        const sources = services.map((fields, index) =>
          virtualService(`v${index}`, {
            ...fields,
            http: [httpRoute({ action: { kind: "route", destinations: [destination(String(index))] } })],
          }),
        );
        const table = tableOf(sources, [gateway({ hosts: serverHosts })]);
        const name = authority.toLowerCase().replace(/:\d+$/, "");
        const routes = findVirtualHost(table, authority.toLowerCase())?.routes ?? [];
        const owners = routes.map(({ ref }) => sources.find(({ meta }) => meta.name === ref.name));
        expect(routes.length === 0 || fits(serverHosts, name)).toBe(true);
        for (const owner of owners) {
          expect(owner !== undefined && fits(owner.hosts, name)).toBe(true);
          expect(owner?.gateways).toContain("foo/gw");
          expect(["", "*", "istio-system"]).toContain(owner?.exportTo.join());
        }
      },
    ),
  );
});
