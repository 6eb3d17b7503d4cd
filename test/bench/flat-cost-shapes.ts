import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { authorizationPolicy, requestAuthentication, type Shape } from "./flat-cost.ts";

/** The ways in which policies can be many: by what their rules are told apart. */
export const SHAPES: readonly Shape[] = [
  shape(
    "exact paths",
    (n) => ({ to: [{ operation: { paths: [`/api/v1/service-${n}`] } }] }),
    (n) => ({
      path: `/api/v1/service-${n}`,
    }),
  ),
  shape(
    "path prefixes",
    (n) => ({ to: [{ operation: { methods: ["GET"], paths: [`/api/service-${n}/*`] } }] }),
    (n) => ({
      path: `/api/service-${n}/items/17`,
    }),
  ),
  shape(
    "path templates",
    (n) => ({ to: [{ operation: { paths: [`/api/{*}/service-${n}/{**}`] } }] }),
    (n) => ({
      path: `/api/v2/service-${n}/items`,
    }),
  ),
  shape(
    "hosts",
    (n) => ({ to: [{ operation: { hosts: [`tenant-${n}.example.com`] } }] }),
    (n) => ({
      host: `tenant-${n}.example.com`,
    }),
  ),
  shape(
    "100 hosts times 100 paths",
    (n) => ({ to: [{ operation: { hosts: [`h${Math.floor(n / 100)}.example.com`], paths: [`/p${n % 100}/*`] } }] }),
    (n) => ({ host: `h${Math.floor(n / 100)}.example.com`, path: `/p${n % 100}/x` }),
  ),
  shape(
    "peers",
    (n) => ({ from: [{ source: { principals: [`cluster.local/ns/foo/sa/a${n}`] } }] }),
    (n) => ({
      principal: `spiffe://cluster.local/ns/foo/sa/a${n}`,
    }),
  ),
  shape(
    "a header",
    (n) => ({ when: [{ key: "request.headers[x-tenant]", values: [`t${n}`] }] }),
    (n) => ({
      headers: [["x-tenant", `t${n}`]],
    }),
  ),
  {
    name: "DENY paths that nobody asks for",
    few: 10,
    many: 10_000,
    objects: (count) => denials(count, (n) => ({ to: [{ operation: { paths: [`/secret-${n}/*`] } }] })),
    request: (n) => ({ path: `/public/${n}` }),
  },
  {
    name: "policies of other workloads",
    few: 10,
    many: 10_000,
    objects: (count) =>
      Array.from({ length: count }, (_, n) =>
        authorizationPolicy(`p${n}`, {
          selector: { matchLabels: { app: n < 10 ? "httpbin" : `app-${n}` } },
          rules: [{ to: [{ operation: { paths: [`/p${n % 10}`] } }] }],
        }),
      ),
    request: (n) => ({ path: `/p${n % 10}` }),
  },
  {
    name: "issuers",
    few: 1,
    many: 100,
    objects: (count) => [
      requestAuthentication(
        "issuers",
        Array.from({ length: count - 1 }, (_, n) => ({
          issuer: `https://issuer-${n}.example.com`,
          jwks: publicJwks(),
        })),
      ),
      authorizationPolicy("all", { rules: [{ from: [{ source: { requestPrincipals: [`${TEST_ISSUER}/*`] } }] }] }),
    ],
    request: () => ({}),
  },
  {
    name: "routes of one host",
    few: 10,
    many: 2_000,
    objects: (count) => [
      virtualService(
        "all",
        ["example.com"],
        Array.from({ length: count }, (_, n) => `/service-${n}/`),
      ),
    ],
    request: (n) => ({ ...GATEWAY, host: "example.com", path: `/service-${n}/x` }),
  },
  {
    name: "hosts of a gateway",
    few: 10,
    many: 2_000,
    objects: (count) => Array.from({ length: count }, (_, n) => virtualService(`v${n}`, [`h${n}.example.com`], ["/"])),
    request: (n) => ({ ...GATEWAY, host: `h${n}.example.com` }),
  },
];

/** What no index can help: every rule might match, and none does. */
export const WORST_CASES: readonly Shape[] = [
  {
    name: "DENY rules that only differ in addresses",
    few: 10,
    many: 10_000,
    objects: (count) => denials(count, (n) => ({ from: [{ source: { ipBlocks: [`192.168.${n >> 8}.${n & 255}`] } }] })),
    request: () => ({}),
  },
  {
    name: "DENY rules of the same path",
    few: 10,
    many: 10_000,
    objects: (count) =>
      denials(count, (n) => ({
        to: [{ operation: { paths: ["/same/*"] } }],
        when: [{ key: "remote.ip", notValues: ["10.0.0.1", `192.168.${n >> 8}.${n & 255}`] }],
      })),
    request: () => ({ path: "/same/path" }),
  },
];

function denials(count: number, rule: (n: number) => object): readonly object[] {
  return Array.from({ length: count }, (_, n) => authorizationPolicy(`p${n}`, { action: "DENY", rules: [rule(n)] }));
}

const GATEWAY = { gateways: "foo/gateway" };

/** ALLOW policies of one rule each. */
function shape(name: string, rule: (n: number) => object, request: Shape["request"]): Shape {
  const objects = (count: number): readonly object[] =>
    Array.from({ length: count }, (_, n) => authorizationPolicy(`p${n}`, { rules: [rule(n)] }));
  return { name, few: 10, many: 10_000, objects, request };
}

function virtualService(name: string, hosts: readonly string[], prefixes: readonly string[]): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "foo" },
    spec: {
      hosts,
      gateways: ["gateway"],
      http: prefixes.map((prefix) => ({
        match: [{ uri: { prefix } }],
        route: [{ destination: { host: "httpbin", port: { number: 8000 } } }],
      })),
    },
  };
}
