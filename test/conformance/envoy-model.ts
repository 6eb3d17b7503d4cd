import type { Decision, HeaderMutation, HttpRequest } from "@gatehouse/authz-server/engine";
import type { CaseRequest, ConformanceCase, HeaderLine } from "./case.ts";
import type { Observation } from "./compare.ts";

/**
 * The request as Envoy's HTTP connection manager would hand it to ext_authz, for requests that the codec lets through.
 * Paths are left raw: normalising them is the server's duty in front of an Envoy that does not.
 */
export function toHttpRequest(scenario: ConformanceCase, request: CaseRequest): HttpRequest {
  const client = clientHeaders(scenario, request);
  // Without use_remote_address, what the client says about the protocol is believed.
  const scheme = (scenario.workload.kind === "sidecar" && firstValue(client, "x-forwarded-proto")) || "http";
  const { authority, path } = splitTarget(request);
  const headers = [
    [":authority", authority] as const,
    [":path", path] as const,
    [":method", request.method] as const,
    [":scheme", scheme] as const,
    ...client.filter(([name]) => name !== "x-forwarded-proto"),
    ["x-forwarded-proto", scheme] as const,
    ["x-request-id", "00000000-0000-4000-8000-000000000000"] as const,
  ];
  const isV6 = request.sourceIp.includes(":");
  return {
    method: request.method,
    path: toBytes(path),
    host: toBytes(authority),
    scheme,
    headers: headers.map(([name, value]) => ({ name, value: toBytes(value) })),
    hasRawHeaders: true,
    source: { address: request.sourceIp, principal: request.tls?.principal ?? "" },
    destination: { address: isV6 ? "::1" : "127.0.0.1", port: request.port },
    sni: request.tls?.sni ?? "",
    contextExtensions: new Map(identityOf(scenario)),
    filterMetadata: (filter, key) => request.filterMetadata?.[`${filter}/${key}`],
  };
}

/** What Envoy does with a decision, behind the routes of deploy/envoy: the profile's catch-all, and one route by cluster header. */
export function applyDecision(scenario: ConformanceCase, request: CaseRequest, decision: Decision): Observation {
  if (decision.kind === "respond") return localReply(request, decision.status, decision.headers, decision.body);
  const sent = toHttpRequest(scenario, request).headers.map(({ name, value }): HeaderLine => [name, value]);
  const checked = withMutations(sent, decision.setHeaders).filter(([name]) => !decision.removeHeaders.includes(name));
  const headers = withMutations(checked, addedByFilter(checked));
  const cluster =
    scenario.workload.kind === "gateway" ? firstValue(headers, CLUSTER_HEADER) : `workload:${request.port}`;
  if (cluster === undefined) return localReply(request, 404, [], "");
  const [, destination = "", port = "", subset = ""] = /^(.+?):(\d+)(\/.+)?$/.exec(cluster) ?? [];
  if (destination !== "workload" && !hasCluster(scenario, cluster)) return localReply(request, 503, [], "");
  return {
    status: 200,
    body: "",
    responseHeaders: withMutations(responseAfterFilter(headers), decision.responseHeaders).map(fromBytes),
    upstream: {
      destination: destination + subset,
      port: Number(port),
      method: firstValue(headers, ":method") ?? "",
      authority: fromByteString(firstValue(headers, ":authority") ?? ""),
      path: fromByteString(firstValue(headers, ":path") ?? ""),
      headers: headers.filter(([name]) => !name.startsWith(":") && !name.startsWith(OWN_PREFIX)).map(fromBytes),
    },
  };
}

const OWN_PREFIX = "x-gatehouse-";
const CLUSTER_HEADER = "x-gatehouse-cluster";

const UPSTREAM_RESPONSE: readonly HeaderLine[] = [
  ["content-type", "application/json"],
  ["x-upstream", "echo"],
  ["x-up-secret", "s3"],
];

/** The profile's Lua filter: lines that are added to the request. */
function addedByFilter(headers: readonly HeaderLine[]): readonly Mutation[] {
  const added = new URLSearchParams(firstValue(headers, `${OWN_PREFIX}request-add`) ?? "");
  return [...added].map(([name, value]) => ({ name, value: toBytes(value), append: true }));
}

/** The same filter: headers that are removed from the response. */
function responseAfterFilter(headers: readonly HeaderLine[]): readonly HeaderLine[] {
  const removed = firstValue(headers, `${OWN_PREFIX}response-remove`)?.split(",") ?? [];
  return UPSTREAM_RESPONSE.filter(([name]) => !removed.includes(name));
}

/** A target in absolute form (`http://host/path`) says the authority, whatever the Host header says. */
function splitTarget({ authority, path }: CaseRequest): { readonly authority: string; readonly path: string } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(path);
  return absolute === null ? { authority, path } : { authority: absolute[1] ?? "", path: absolute[2] || "/" };
}

// Envoy keeps these in one line however often they were sent.
const JOINED: ReadonlyMap<string, string> = new Map([
  ["authorization", ","],
  ["x-forwarded-for", ","],
]);

function clientHeaders(scenario: ConformanceCase, request: CaseRequest): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (const [sentName, sentValue] of request.headers) {
    const name = sentName.toLowerCase();
    if (name === "connection" || name.startsWith(OWN_PREFIX)) continue;
    const value = sentValue.replace(/^[ \t]+|[ \t]+$/g, "");
    const separator = JOINED.get(name);
    const at = separator === undefined ? -1 : lines.findIndex(([other]) => other === name);
    if (at < 0) lines.push([name, value]);
    else lines[at] = [name, `${lines[at]?.[1]}${separator}${value}`];
  }
  // A gateway (use_remote_address) adds its peer; a sidecar believes what it gets.
  if (scenario.workload.kind === "sidecar") return lines;
  const forwardedFor = [firstValue(lines, "x-forwarded-for"), request.sourceIp].filter((part) => part !== undefined);
  return [...lines.filter(([name]) => name !== "x-forwarded-for"), ["x-forwarded-for", forwardedFor.join(",")]];
}

/** Who the Envoy of the scenario says it is, as gRPC metadata. */
export function identityOf(scenario: ConformanceCase): readonly HeaderLine[] {
  const { kind, namespace, labels, gateways } = scenario.workload;
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const gateway: readonly HeaderLine[] = kind === "gateway" ? [["gatehouse-gateways", gateways.join(",")]] : [];
  return [["gatehouse-namespace", namespace], ["gatehouse-labels", labelTexts.join(",")], ...gateway];
}

/** Without `append` the header is overwritten. */
type Mutation = Omit<HeaderMutation, "append"> & Partial<Pick<HeaderMutation, "append">>;

function withMutations(lines: readonly HeaderLine[], mutations: readonly Mutation[]): readonly HeaderLine[] {
  let changed = [...lines];
  for (const { name, value, append = false } of mutations) {
    if (!append) changed = changed.filter(([other]) => other !== name.toLowerCase());
    changed.push([name.toLowerCase(), value]);
  }
  return changed;
}

function localReply(request: CaseRequest, status: number, headers: readonly Mutation[], body: string): Observation {
  const plain: readonly HeaderLine[] = body === "" ? [] : [["content-type", "text/plain"]];
  return {
    status,
    body: request.method === "HEAD" ? "" : fromByteString(body),
    responseHeaders: withMutations(plain, headers).map(fromBytes),
    upstream: null,
  };
}

function hasCluster(scenario: ConformanceCase, cluster: string): boolean {
  return scenario.services.some(
    ({ host, port, subsets }) =>
      cluster === `${host}:${port}` || subsets.some((subset) => cluster === `${host}:${port}/${subset}`),
  );
}

function firstValue(lines: readonly HeaderLine[], name: string): string | undefined {
  return lines.find(([candidate]) => candidate === name)?.[1];
}

function fromBytes([name, value]: HeaderLine): HeaderLine {
  return [name, fromByteString(value)];
}

function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function fromByteString(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
