import { deepStrictEqual } from "node:assert";
import type { EchoUpstreams, ReceivedRequest } from "./echo-upstream.ts";
import type { EnvoyProcess } from "./envoy.ts";
import type { TestListener } from "./envoy-config.ts";
import type { GatehouseOptions, RunningGatehouse } from "./gatehouse.ts";
import { startGatehouseBehindEnvoy } from "./gatehouse-behind-envoy.ts";
import { type HeaderLine, type RawResponse, sendRaw } from "./raw-http.ts";

/** The places that Istio's documents speak of: two services with sidecars, and the ingress gateway. */
export type Place = "httpbin" | "sleep" | "ingress" | "nobody";

/** One request of a document. */
export interface Step {
  /** Whose Envoy gets it. `nobody` is an Envoy that does not say who it is. */
  readonly at: Place;
  /** Default /headers. */
  readonly path?: string;
  /** Sent as `Authorization: Bearer ...`. */
  readonly token?: string;
  readonly headers?: readonly HeaderLine[];
  /** Default httpbin.example.com. */
  readonly authority?: string;
}

/** What must happen. */
export interface Expected {
  readonly status: number;
  /** Of an answer that no upstream made. */
  readonly body?: string;
  readonly authenticate?: string;
  /** Which upstream got the request; omitted: none did. */
  readonly upstream?: string;
  /** The path that arrived; default: the one that was sent. */
  readonly path?: string;
}

/** Gatehouse, a real Envoy with a listener for each place, and the services behind it. */
export interface FeatureStack {
  readonly gatehouse: RunningGatehouse;
  readonly envoy: EnvoyProcess;
  /** Sends the request with GET and with HEAD and asserts status, body and what the upstream received. */
  expect(step: Step, expected: Expected): Promise<void>;
  /** Sends one request and tells what came back and what arrived. */
  send(
    method: string,
    step: Step,
  ): Promise<{ readonly response: RawResponse; readonly received: readonly ReceivedRequest[] }>;
  stop(): Promise<void>;
}

/** The upstreams: the application of each sidecar, and the cluster of httpbin as the gateway names it. */
export const HTTPBIN_APP = "httpbin-app";
export const SLEEP_APP = "sleep-app";
export const HTTPBIN_CLUSTER = "httpbin.foo.svc.cluster.local:8000";

/** Starts all of it on ports of its own. */
export async function startFeatureStack(options: GatehouseOptions = {}): Promise<FeatureStack> {
  const clusters = [HTTPBIN_APP, SLEEP_APP, HTTPBIN_CLUSTER];
  const { gatehouse, envoy, upstreams, stop } = await startGatehouseBehindEnvoy(options, clusters, LISTENERS);
  const send = sender(envoy, upstreams);
  return { gatehouse, envoy, stop, send, expect: (step, expected) => expectGetAndHead(send, step, expected) };
}

const LISTENERS: readonly TestListener[] = [
  sidecar("httpbin", HTTPBIN_APP),
  sidecar("sleep", SLEEP_APP),
  {
    name: "ingress",
    profile: "istio-gateway",
    identity: {
      namespace: "istio-system",
      labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
      gateways: ["foo/httpbin-gateway", "default/bookinfo-gateway"],
      serverPort: 80,
    },
  },
  { name: "nobody", profile: "istio-sidecar", identity: { namespace: "", labels: {} }, localCluster: HTTPBIN_APP },
];

function sidecar(app: "httpbin" | "sleep", localCluster: string): TestListener {
  return { name: app, profile: "istio-sidecar", identity: { namespace: "foo", labels: { app } }, localCluster };
}

function sender(envoy: EnvoyProcess, upstreams: EchoUpstreams): FeatureStack["send"] {
  return async (method, step) => {
    upstreams.takeReceived();
    const { path = "/headers", authority = "httpbin.example.com", token, headers = [] } = step;
    const bearer: readonly HeaderLine[] = token === undefined ? [] : [["Authorization", `Bearer ${token}`]];
    const request = { method, authority, path, headers: [...bearer, ...headers] };
    const response = await sendRaw(envoy.listenerPort(step.at), request);
    return { response, received: upstreams.takeReceived() };
  };
}

async function expectGetAndHead(send: FeatureStack["send"], step: Step, expected: Expected): Promise<void> {
  for (const method of ["GET", "HEAD"]) {
    const { response, received } = await send(method, step);
    const isOurAnswer = expected.upstream === undefined;
    const actual = {
      request: `${method} ${step.path ?? "/headers"} at ${step.at}`,
      status: response.status,
      body: isOurAnswer ? response.body : "(of the upstream)",
      authenticate: response.headers.filter(([name]) => name === "www-authenticate").map(([, value]) => value),
      upstream: received.map((request) => [request.upstream, request.method, request.path]),
      // Neither the token nor a header of ours reaches an upstream, unless a policy asks for it.
      leaked: received
        .flatMap(({ headers }) => headers)
        .filter(([name]) => /^(authorization|x-gatehouse.*)$/.test(name)),
    };
    const ownBody = method === "HEAD" ? "" : (expected.body ?? "");
    deepStrictEqual(actual, {
      request: actual.request,
      status: expected.status,
      body: isOurAnswer ? ownBody : "(of the upstream)",
      authenticate: expected.authenticate === undefined ? [] : [expected.authenticate],
      upstream: isOurAnswer ? [] : [[expected.upstream, method, expected.path ?? step.path ?? "/headers"]],
      leaked: [],
    });
  }
}
