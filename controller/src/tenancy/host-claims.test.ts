import { type Gateway, type HttpMatch, type HttpRoute, NO_CONDITIONS, type VirtualService } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import type { ObjectKey } from "../resources/object.ts";
import { sha256 } from "../translate-stored.ts";
import { HostClaims, type HostOwnership } from "./host-claims.ts";

const NO_OPERATIONS = { set: [], add: [], remove: [] };

function route(path: string | null, fields: Partial<HttpMatch> = {}, action?: HttpRoute["action"]): HttpRoute {
  const uri = path === null ? null : { kind: "exact" as const, value: path };
  const match: HttpMatch = { ...NO_CONDITIONS, uri, ...fields };
  return {
    index: 0,
    name: "",
    match: [match],
    action: action ?? { kind: "directResponse", status: 200, body: "" },
    requestHeaders: NO_OPERATIONS,
    responseHeaders: NO_OPERATIONS,
    rewrite: null,
    timeoutMs: null,
    retries: null,
    fault: null,
    cors: null,
  };
}

/** `namespace/name` */
type Id = `${string}/${string}`;

function service(id: Id, createdAtMs: number, fields: Partial<VirtualService> = {}): VirtualService {
  const [namespace = "", name = ""] = id.split("/");
  return {
    kind: "VirtualService",
    meta: { namespace, name, createdAtMs, minReaderVersion: 1, unenforceable: "" },
    hosts: ["shop.example.com"],
    gateways: ["infra/gw"],
    exportTo: [],
    keepsHosts: false,
    refusedHosts: [],
    ...fields,
    http: (fields.http ?? [route(`/${id}`)]).map((entry, index) => ({ ...entry, index })),
  };
}

function gateway(...hosts: readonly string[]): Gateway {
  return {
    kind: "Gateway",
    meta: { namespace: "infra", name: "gw", createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    selector: [],
    servers: [{ port: 80, protocol: "HTTP", hosts, httpsRedirect: false }],
  };
}

class Claims {
  readonly claims: HostClaims;
  changed: readonly string[] = [];

  constructor(ownership: HostOwnership, ...objects: readonly (VirtualService | Gateway)[]) {
    this.claims = new HostClaims(ownership, sha256);
    this.put(...objects);
  }

  put(...objects: readonly (VirtualService | Gateway)[]): this {
    for (const object of objects) {
      this.claims.set(`${object.kind}/${object.meta.namespace}/${object.meta.name}`, object);
    }
    return this.settle();
  }

  remove(key: ObjectKey): this {
    this.claims.delete(key);
    return this.settle();
  }

  settle(): this {
    this.changed = [...this.claims.settle()].map((key) => key.replace("VirtualService/", "")).sort();
    return this;
  }

  said(id: Id): readonly string[] {
    return this.claims.verdictOf(`VirtualService/${id}`).diagnostics.map(({ path, message }) => `${path}: ${message}`);
  }

  refused(id: Id): readonly string[] {
    return this.claims.verdictOf(`VirtualService/${id}`).refused.map((at) => `${at.gateway} ${at.host}`);
  }
}

const SHARED = "spec.hosts[0]: host shop.example.com at gateway infra/gw is shared with VirtualService";

describe("a host of several namespaces", () => {
  const old = service("foo/old", 1);
  const young = service("bar/young", 2);

  it("is told to both, with who goes first, whichever came first", () => {
    for (const objects of [
      [old, young],
      [young, old],
    ]) {
      const claims = new Claims("shared", ...objects);
      expect(claims.said("foo/old")).toEqual([
        `${SHARED} bar/young of another namespace; the routes of this object go first, being older`,
      ]);
      expect(claims.said("bar/young")).toEqual([
        `${SHARED} foo/old of another namespace; its routes go first, being older`,
      ]);
      expect(claims.refused("bar/young")).toEqual([]);
    }
  });

  it("of equal age goes by name, then by namespace", () => {
    const claims = new Claims("shared", service("foo/same", 1), service("bar/same", 1));
    expect(claims.said("bar/same")).toEqual([
      `${SHARED} foo/same of another namespace; the routes of this object go first, by name`,
    ]);
  });

  it("is no longer told once one of them is gone, or has another host", () => {
    const claims = new Claims("shared", old, young).remove("VirtualService/bar/young");
    expect([claims.changed, claims.said("foo/old")]).toEqual([["foo/old"], []]);
    claims.put(young).put({ ...young, hosts: ["other.example.com"] });
    expect(claims.said("foo/old")).toEqual([]);
    expect(claims.changed).toContain("foo/old");
  });

  it("names the one before it, so that one more changes only the first and itself", () => {
    const claims = new Claims("shared", old, young, service("foo/third", 3));
    expect(claims.said("foo/third")).toEqual([
      `${SHARED} bar/young of another namespace; its routes go first, being older`,
    ]);
    claims.put(service("baz/fourth", 4));
    expect(claims.changed).toEqual(["baz/fourth"]);
  });

  it("says nothing of order where that depends on who looks", () => {
    const claims = new Claims("shared", old, { ...young, exportTo: ["infra"] });
    expect(claims.said("foo/old")).toEqual([`${SHARED} bar/young of another namespace`]);
  });

  it.each<readonly [string, VirtualService]>([
    ["at another gateway", { ...young, gateways: ["infra/other"] }],
    ["for sidecars", { ...young, gateways: ["mesh"] }],
    ["exported to nobody", { ...young, exportTo: ["~"] }],
    ["of the same namespace", service("foo/young", 2)],
    ["that only resembles it", { ...young, hosts: ["*.example.com"] }],
  ])("is nothing to tell %s", (_name, other) => {
    const claims = new Claims("shared", old, other);
    expect([claims.said("foo/old"), claims.said("bar/young")]).toEqual([[], []]);
  });

  it("is what the servers of the Gateway make of it", () => {
    const wide = { ...young, hosts: ["*"] };
    const claims = new Claims("shared", { ...old, hosts: ["*.example.com"] }, wide);
    expect(claims.said("foo/old")).toEqual([]);
    claims.put(gateway("*.example.com"));
    expect(claims.said("foo/old")[0]).toMatch(
      /^spec\.hosts\[0\]: host \*\.example\.com at gateway infra\/gw is shared/,
    );
    claims.put(gateway("foo/*.example.com"));
    expect([claims.changed, claims.said("foo/old"), claims.said("bar/young")]).toEqual([
      ["bar/young", "foo/old"],
      [],
      [],
    ]);
    claims.remove("Gateway/infra/gw");
    expect(claims.said("foo/old")).toEqual([]);
  });
});

describe("a route with the same match as an older one", () => {
  const shadow = (by: string) =>
    `never matches for host shop.example.com at gateway infra/gw: VirtualService ${by} goes first and has the same match`;
  const said = (...objects: readonly VirtualService[]) =>
    new Claims("shared", ...objects).said("foo/young").map((text) => text.replace(/^(spec.http\[\d\]): /, "$1 "));

  it("is named on the younger object, also within one namespace", () => {
    const old = service("foo/old", 1, { http: [route("/pay")] });
    const young = service("foo/young", 2, { http: [route("/other"), route("/pay", { name: "named" })] });
    expect(said(old, young)).toEqual([`spec.http[1] ${shadow("foo/old")}`]);
    expect(new Claims("shared", old, young).said("foo/old")).toEqual([]);
  });

  it("is named only when every entry of its match is taken", () => {
    const both: HttpRoute = { ...route("/a"), match: [...route("/a").match, ...route("/b").match] };
    const young = service("foo/young", 3, { http: [both] });
    const first = service("foo/first", 1, { http: [route("/a")] });
    expect(said(first, young)).toEqual([]);
    expect(said(first, service("foo/second", 2, { http: [route("/b")] }), young)).toHaveLength(1);
  });

  it.each<readonly [string, readonly HttpRoute[]]>([
    ["that differs in a header", [route("/pay", { headers: [{ name: "a", match: { kind: "exact", value: "b" } }] })]],
    ["that leaves requests to a delegate", [route("/pay", {}, { kind: "delegate", namespace: "foo", name: "d" })]],
    ["behind a route that takes all: it is never offered", [route(null), route("/pay")]],
  ])("is not named for one %s", (_name, http) => {
    expect(said(service("foo/old", 1, { http }), service("foo/young", 2, { http: [route("/pay")] }))).toEqual([]);
  });

  it("is not named where the order depends on who looks", () => {
    const http = [route("/pay")];
    expect(said(service("foo/old", 1, { http }), service("foo/young", 2, { http, exportTo: ["."] }))).toEqual([]);
  });
});

describe("with hosts of the first namespace", () => {
  const old = service("foo/old", 1);
  const young = service("bar/young", 2, { hosts: ["own.example.com", "shop.example.com"] });

  it("a host belongs to the namespace of the oldest, and the others lose it", () => {
    for (const objects of [
      [old, young, service("foo/more", 3)],
      [service("foo/more", 3), young, old],
    ]) {
      const claims = new Claims("first-namespace", ...objects);
      expect(claims.refused("bar/young")).toEqual(["infra/gw shop.example.com"]);
      expect(claims.said("bar/young")).toEqual([
        "spec.hosts[1]: host shop.example.com at gateway infra/gw belongs to namespace foo by the older VirtualService foo/old; no route of this object is used there",
      ]);
      expect([claims.said("foo/old"), claims.said("foo/more")]).toEqual([[], []]);
    }
  });

  it("goes to the next when the owner leaves", () => {
    const claims = new Claims("first-namespace", old, young).remove("VirtualService/foo/old");
    expect([claims.changed, claims.refused("bar/young")]).toEqual([["bar/young"], []]);
  });

  it("a host under a wildcard belongs to whoever has the wildcard, if that is older", () => {
    const claims = new Claims("first-namespace", young);
    claims.put(service("foo/wide", 1, { hosts: ["*.example.com"] }));
    expect(claims.refused("bar/young")).toEqual(["infra/gw own.example.com", "infra/gw shop.example.com"]);
    claims.put(service("foo/wide", 3, { hosts: ["*.example.com"] }));
    expect([claims.refused("bar/young"), claims.refused("foo/wide")]).toEqual([[], []]);
    claims.put(service("baz/all", 0, { hosts: ["*"] }));
    expect(claims.refused("foo/wide")).toEqual(["infra/gw *.example.com"]);
    claims.remove("VirtualService/baz/all");
    expect(claims.refused("foo/wide")).toEqual([]);
  });

  it("nobody owns what the Gateway does not let him have", () => {
    const claims = new Claims("first-namespace", gateway("bar/shop.example.com"), old, young);
    expect([claims.refused("bar/young"), claims.refused("foo/old")]).toEqual([[], []]);
    claims.put(gateway("*"));
    expect(claims.refused("bar/young")).toEqual(["infra/gw shop.example.com"]);
  });

  it("keeps its hosts when there is no room for it, unless it has very many", () => {
    const claims = new HostClaims("first-namespace", sha256);
    const many = Array.from({ length: 300 }, (_, i) => `h${i}.example.com`);
    claims.set("VirtualService/foo/old", old);
    claims.set("VirtualService/foo/many", service("foo/many", 1, { hosts: many }));
    claims.set("VirtualService/bar/young", young);
    claims.set("VirtualService/bar/other", service("bar/other", 2, { hosts: ["h7.example.com"] }));
    const refused = () =>
      ["young", "other"].flatMap((name) =>
        claims.verdictOf(`VirtualService/bar/${name}`).refused.map(({ host }) => host),
      );
    claims.settle((key) => !key.startsWith("VirtualService/foo/"));
    expect(refused()).toEqual(["shop.example.com"]);
    expect(claims.settle(() => true, ["VirtualService/foo/many"])).toEqual(new Set(["VirtualService/bar/other"]));
    expect(refused()).toEqual(["shop.example.com", "h7.example.com"]);
    expect(claims.settle(() => false, ["VirtualService/foo/many"])).toEqual(new Set(["VirtualService/bar/other"]));
    expect(refused()).toEqual(["shop.example.com"]);
  });

  it("costs an edit only what shares its host", () => {
    const many = Array.from({ length: 2_000 }, (_, i) => service(`foo/s${i}`, i, { hosts: [`h${i}.example.com`] }));
    const claims = new Claims("first-namespace", ...many);
    claims.put(service("bar/x", 5_000, { hosts: ["h7.example.com"] }));
    expect(claims.changed).toEqual(["bar/x"]);
  });
});
