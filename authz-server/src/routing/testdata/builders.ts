import {
  type Gateway,
  type HeaderOperations,
  type HttpMatch,
  type HttpRoute,
  NO_CONDITIONS,
  type VirtualService,
} from "@gatehouse/protos";
import type { RequestAttributes } from "../../authz/attributes.ts";
import type { HeaderLine } from "../../http-request.ts";
import { parseWorkload, type Workload } from "../../policy/workload.ts";

/** No header operation. */
export const NO_OPERATIONS: HeaderOperations = { set: [], add: [], remove: [] };

/** A match entry that asks for nothing but these fields. */
export function httpMatch(fields: Partial<HttpMatch> = {}): HttpMatch {
  return { ...NO_CONDITIONS, ...fields };
}

/** A route to the host `web`, port 80, unless the fields say otherwise. */
export function httpRoute(fields: Partial<HttpRoute> = {}): HttpRoute {
  return {
    index: 0,
    name: "",
    match: [],
    action: { kind: "route", destinations: [destination("web")] },
    requestHeaders: NO_OPERATIONS,
    responseHeaders: NO_OPERATIONS,
    rewrite: null,
    timeoutMs: null,
    retries: null,
    fault: null,
    cors: null,
    ...fields,
  };
}

/** A destination at port 80. */
export function destination(host: string, weight = 100) {
  return { host, port: 80, subset: "", weight, requestHeaders: NO_OPERATIONS, responseHeaders: NO_OPERATIONS };
}

/** A VirtualService `foo/NAME` for all hosts at the gateway `foo/gw`, unless the fields say otherwise. */
export function virtualService(name: string, fields: Partial<VirtualService> & { readonly namespace?: string } = {}) {
  const { namespace = "foo", ...rest } = fields;
  const source: VirtualService = {
    kind: "VirtualService",
    meta: { namespace, name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    hosts: ["*"],
    gateways: ["foo/gw"],
    exportTo: [],
    http: [httpRoute()],
    keepsHosts: false,
    refusedHosts: [],
    ...rest,
  };
  return source;
}

/** The Gateway `foo/gw` with HTTP servers of these ports, hosts `*`. */
export function gateway(...servers: readonly Partial<Gateway["servers"][number]>[]): Gateway {
  return {
    kind: "Gateway",
    meta: { namespace: "foo", name: "gw", createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    selector: [{ name: "istio", value: "ingressgateway" }],
    servers: servers.map((server) => ({ port: 80, protocol: "HTTP", hosts: ["*"], httpsRedirect: false, ...server })),
  };
}

/** The ingress gateway in istio-system. */
export function ingress(): Workload {
  const workload = parseWorkload({
    namespace: "istio-system",
    labels: "istio=ingressgateway",
    gateways: "",
    serverPort: "",
  });
  if (workload === undefined) throw new Error("fixture is no workload");
  return workload;
}

/** What of a request matters to routes. */
export interface TestRequest {
  readonly method?: string;
  readonly scheme?: string;
  readonly host?: string;
  /** With query. */
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly claims?: RequestAttributes["claims"];
  readonly addedHeaders?: readonly HeaderLine[];
  readonly removedHeaders?: readonly string[];
}

/** A request as routes see it; default GET http://example.com/ without claims. */
export function attributes(request: TestRequest = {}): RequestAttributes {
  const { method = "GET", scheme = "http", host = "example.com", path: target = "/", claims = null } = request;
  const { addedHeaders = [], removedHeaders = [] } = request;
  const at = target.indexOf("?");
  const sent = (request.headers ?? []).map(([name, value]) => ({ name, value }));
  const pseudo = { ":method": method, ":scheme": scheme, ":authority": host, ":path": target };
  const headers = [...Object.entries(pseudo).map(([name, value]) => ({ name, value })), ...sent];
  return {
    request: {
      method,
      scheme,
      host,
      path: target,
      headers,
      hasRawHeaders: true,
      source: { address: "10.0.0.1", principal: "" },
      destination: { address: "10.0.0.2", port: 8080 },
      sni: "",
      contextExtensions: new Map(),
      filterMetadata: () => undefined,
    },
    path: at < 0 ? target : target.slice(0, at),
    query: at < 0 ? "" : target.slice(at),
    headers: headers.filter(({ name }) => !removedHeaders.includes(name)),
    removedHeaders,
    addedHeaders,
    claims,
    remoteAddress: "10.0.0.1",
  };
}
