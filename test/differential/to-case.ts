import { stringify } from "yaml";
import {
  APPLICATION,
  type Difference,
  type Lines,
  type Observation,
  SERVICES,
  type TestRequest,
} from "./policy-set.ts";

/** A difference as a file for test/cases: the oracle's answer is what is expected. */
export function toCase({ set, mesh, request, oracle }: Difference): string {
  const isGateway = set.kind === "gateway";
  const { pathNormalization, numTrustedProxies } = mesh;
  const file = {
    description: `found by comparison with Envoy's own filters, policy set ${set.name}`,
    workload: {
      kind: set.kind,
      namespace: "foo",
      labels: { app: "httpbin", set: "foo" },
      ...(isGateway ? { gateways: ["foo/gateway"] } : {}),
      ports: [8080, 9090],
    },
    meshConfig: {
      pathNormalization: { normalization: pathNormalization },
      ...(numTrustedProxies === 0 ? {} : { defaultConfig: { gatewayTopology: { numTrustedProxies } } }),
    },
    ...(isGateway ? { services: SERVICES.map(toService) } : {}),
    resources: set.objects,
    requests: [{ name: "found", ...toRequestFile(request), expect: toExpect(request, oracle) }],
  };
  return stringify(file, { lineWidth: 0 });
}

function toService(cluster: string): object {
  const [, host, port, subset] = /^(.+):(\d+)(?:\/(.+))?$/.exec(cluster) ?? [];
  return { host, port: Number(port), ...(subset === undefined ? {} : { subsets: [subset] }) };
}

function toRequestFile({ method, authority, path, headers, sourceIp, port }: TestRequest): object {
  return {
    ...(method === "GET" ? {} : { method }),
    authority,
    path,
    ...(headers.length === 0 ? {} : { headers: headers.map(([name, value]) => `${name}: ${value}`) }),
    ...(sourceIp === "127.0.0.1" ? {} : { sourceIp }),
    ...(port === 8080 ? {} : { port }),
  };
}

function toExpect(request: TestRequest, { status, body, headers, upstream }: Observation): object {
  if (upstream === null) {
    const { "content-type": type, ...others } = single(headers);
    const ownType = type === undefined || (type === "text/plain" && body !== "") ? {} : { "content-type": type };
    const responseHeaders = { ...ownType, ...others };
    return { status, body, ...(Object.keys(responseHeaders).length === 0 ? {} : { responseHeaders }) };
  }
  const [, host, port, subset = ""] = /^(.+):(\d+)(\/.+)?$/.exec(upstream.name) ?? [];
  const isOwn = upstream.name === APPLICATION;
  const sent = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const kept = Object.entries(single(upstream.headers)).filter(
    ([name]) =>
      name !== "content-length" && name !== "x-forwarded-proto" && (name !== "x-forwarded-for" || sent.has(name)),
  );
  return {
    status,
    upstream: {
      destination: isOwn ? APPLICATION : `${host}${subset}`,
      port: isOwn ? request.port : Number(port),
      path: upstream.path,
      ...(upstream.method === "GET" ? {} : { method: upstream.method }),
      ...(upstream.authority === request.authority ? {} : { authority: upstream.authority }),
      ...(kept.length === 0 ? {} : { headers: Object.fromEntries(kept) }),
    },
  };
}

function single(lines: Lines): Readonly<Record<string, string | readonly string[]>> {
  return Object.fromEntries(
    Object.entries(lines).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]),
  );
}
