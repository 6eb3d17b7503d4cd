import { expect, it } from "vitest";
import { prepareVirtualService } from "./prepared-route.ts";
import { buildRouteTable, serversOf } from "./route-table.ts";
import { climbsOut, leadToOneRoute } from "./strict-route.ts";
import { attributes, gateway, httpMatch, httpRoute, ingress, virtualService } from "./testdata/builders.ts";

it.each(["example.com", "EXAMPLE.com:80", "example.com."])(
  "the readings of a path at %s are held against its routes",
  (host) => {
    const open = httpRoute({ match: [httpMatch({ uri: { kind: "prefix", value: "/public/" } })] });
    const source = virtualService("vs", { hosts: ["example.com"], http: [open, httpRoute({ index: 1 })] });
    const table = buildRouteTable(serversOf(ingress(), [gateway({})]) ?? [], 80, ingress(), [
      prepareVirtualService(source),
    ]);
    const readings = (...paths: readonly string[]) => paths.map((path) => attributes({ host, path }));
    const mode = { routing: "cluster", unmatchedHosts: "passthrough" } as const;
    expect(leadToOneRoute(table, readings("/public/..%2fadmin", "/admin"), mode)).toBe(false);
    expect(leadToOneRoute(table, readings("/public/a%2fb", "/public/a/b"), mode)).toBe(true);
  },
);

it.each(["/files/../secret", "/files/..%2fsecret", "/files/./x", "/files/%2e%2e;/x", "/a/..;/b", "/a/.."])(
  "%s leads out of its folder for some upstream",
  (path) => {
    expect(climbsOut(path)).toBe(true);
  },
);

it.each(["/files/a..b", "/files/...", "/files/a%2Fb", "/files/.well-known", "/x?y=/../z", ""])(
  "%s stays in its folder",
  (path) => {
    expect(climbsOut(path)).toBe(false);
  },
);
