import type { HttpRoute, VirtualService } from "@gatehouse/protos";
import { expect, it } from "vitest";
import { inlineDelegates } from "./delegates.ts";
import { prepareVirtualService } from "./prepared-route.ts";
import { httpMatch, httpRoute, NO_OPERATIONS, virtualService } from "./testdata/builders.ts";

const prefix = (value: string) => [httpMatch({ uri: { kind: "prefix", value } })];

function delegating(name: string, fields: Partial<HttpRoute> = {}, namespace = "foo"): HttpRoute {
  return httpRoute({ action: { kind: "delegate", namespace, name }, ...fields });
}

function delegate(name: string, fields: Parameters<typeof virtualService>[1] = {}): VirtualService {
  return virtualService(name, { hosts: [], gateways: [], ...fields });
}

function inlined(...services: readonly VirtualService[]) {
  const [root] = inlineDelegates(services.map(prepareVirtualService));
  if (root === undefined) throw new Error("no root is left");
  return root;
}

const idsOf = (...services: readonly VirtualService[]) => inlined(...services).routes.map(({ id }) => id);

it("puts the delegate's routes in place of the root's", () => {
  const root = virtualService("root", { http: [delegating("d"), httpRoute({ index: 1 })] });
  const d = delegate("d", { http: [httpRoute({ name: "x" }), httpRoute({ index: 1 })] });
  expect(idsOf(root, d)).toEqual(["foo/root/x", "foo/root/0-1", "foo/root/1"]);
  expect(inlineDelegates([d].map(prepareVirtualService))).toEqual([]);
});

it("names them after both", () => {
  const root = virtualService("root", { http: [delegating("d", { name: "r" })] });
  expect(idsOf(root, delegate("d", { http: [httpRoute({ name: "x" }), httpRoute()] }))).toEqual([
    "foo/root/r-x",
    "foo/root/r",
  ]);
});

it("combines matches, and drops routes in conflict", () => {
  const root = virtualService("root", { http: [delegating("d", { match: prefix("/a") })] });
  const d = delegate("d", {
    http: [httpRoute({ match: prefix("/a/b") }), httpRoute({ match: prefix("/c") }), httpRoute()],
  });
  expect(inlined(root, d).routes.map(({ match }) => match?.uri)).toEqual([
    { kind: "prefix", value: "/a/b" },
    { kind: "prefix", value: "/a" },
  ]);
});

it("lets the root decide what the delegate leaves open", () => {
  const cors = {
    allowOrigins: [],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    maxAgeSec: null,
    allowCredentials: null,
    unmatchedPreflights: "FORWARD",
  } as const;
  const ofRoot = {
    rewrite: { uri: "/r", uriRegex: null, authority: "" },
    timeoutMs: 1,
    retries: { attempts: 1, perTryTimeoutMs: 0, retryOn: "" },
    fault: { abort: null, delay: null },
    cors,
    requestHeaders: { ...NO_OPERATIONS, remove: ["x"] },
  };
  const root = virtualService("root", { http: [delegating("d", ofRoot)] });
  const own = { timeoutMs: 2, responseHeaders: { ...NO_OPERATIONS, remove: ["y"] } };
  const [open, decided] = inlined(root, delegate("d", { http: [httpRoute(), httpRoute(own)] })).routes;
  expect(open?.route).toMatchObject(ofRoot);
  expect(decided?.route).toMatchObject({ ...ofRoot, ...own, requestHeaders: NO_OPERATIONS });
});

it.each([
  ["missing", []],
  ["a VirtualService with hosts", [virtualService("d")]],
  ["exported to others only", [delegate("d", { exportTo: ["bar"] })]],
  ["a delegate of another namespace", [delegate("d", { namespace: "bar" })]],
  ["delegating itself", [delegate("d", { http: [delegating("e")] }), delegate("e")]],
])("drops only the root's route when the delegate is %s", (_name, others) => {
  const root = virtualService("root", { http: [delegating("d"), httpRoute({ index: 1 })] });
  expect(idsOf(root, ...others)).toEqual(["foo/root/1"]);
});

it.each([[["."]], [["foo"]], [["*"]]])("finds a delegate that is exported to %j", (exportTo) => {
  const root = virtualService("root", { http: [delegating("d")] });
  expect(idsOf(root, delegate("d", { exportTo }))).toEqual(["foo/root/0-0"]);
});

it("keeps the hosts of a root whose delegate can't be enforced", () => {
  const root = virtualService("root", { http: [delegating("d")] });
  const { meta } = delegate("d");
  const refused = inlined(root, delegate("d", { meta: { ...meta, unenforceable: "too new" } }));
  expect([refused.routes, refused.keepsHosts]).toEqual([[], true]);
  expect(inlined(root).keepsHosts).toBe(false);
});

it("compiles a root again only when one of its delegates changed", () => {
  const root = prepareVirtualService(virtualService("root", { http: [delegating("d")] }));
  const d = prepareVirtualService(delegate("d"));
  const [first] = inlineDelegates([root, d]);
  expect(inlineDelegates([root, d, prepareVirtualService(virtualService("new"))])[0]).toBe(first);
  expect(inlineDelegates([root, prepareVirtualService(delegate("d"))])[0]).not.toBe(first);
});
