import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { type RunningGatehouse, startGatehouse } from "../support/gatehouse.ts";
import { type RawRequest, type RawResponse, sendRaw } from "../support/raw-http.ts";
import { startUnrulyUpstream, type UnrulyUpstream } from "../support/unruly-upstream.ts";

const WEB = "web.foo.svc.cluster.local:80";
const OTHER = "other.foo.svc.cluster.local:80";
const UNRULY = "unruly.foo.svc.cluster.local:80";

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: foo }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }
    - port: { number: 8081, name: redirecting, protocol: HTTP }
      hosts: ["*"]
      tls: { httpsRedirect: true }
`;

const ROUTE_TO_WEB = "route: [{ destination: { host: web, port: { number: 80 } } }]";

/** A VirtualService with these entries of `http`, each in YAML's flow or block form. */
function virtualService(...http: readonly string[]): string {
  return GATEWAY + manifest("vs", `hosts: ["*"]\n  gateways: [gw]`, http);
}

function manifest(name: string, head: string, http: readonly string[]): string {
  const entries = http.map((entry) => `    - ${entry.trim().replace(/\n/g, "\n      ")}`);
  return `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: foo }
spec:
  ${head}
  http:
${entries.join("\n")}
`;
}

describe.each(["istio-gateway", "hardened"] as const)("VirtualService through a real Envoy (profile %s)", (profile) => {
  let gatehouse: RunningGatehouse;
  let upstreams: EchoUpstreams;
  let unruly: UnrulyUpstream;
  let envoy: EnvoyProcess;

  beforeAll(async () => {
    [gatehouse, upstreams, unruly] = await Promise.all([
      startGatehouse(),
      startEchoUpstreams([WEB, OTHER]),
      startUnrulyUpstream(),
    ]);
    const identity = { namespace: "istio-system", labels: { istio: "ingressgateway" }, gateways: ["foo/gw"] };
    envoy = await startEnvoy(
      buildEnvoyBootstrap({
        authzPort: gatehouse.checkPort,
        listeners: [
          { name: "http", profile, identity: { ...identity, serverPort: 80 } },
          { name: "redirecting", profile, identity: { ...identity, serverPort: 8081 } },
        ],
        clusters: new Map([
          [WEB, upstreams.port(WEB)],
          [OTHER, upstreams.port(OTHER)],
          [UNRULY, unruly.port],
        ]),
      }),
    );
  });
  beforeEach(() => {
    upstreams.takeReceived();
    unruly.takeCount();
  });
  afterAll(async () => {
    await envoy?.stop();
    await Promise.all([gatehouse?.stop(), upstreams?.stop(), unruly?.stop()]);
  });

  const send = (request: Partial<RawRequest> = {}, listener = "http"): Promise<RawResponse> =>
    sendRaw(envoy.listenerPort(listener), {
      method: "GET",
      authority: "shop.example.com",
      path: "/",
      headers: [],
      ...request,
    });

  it("redirects with Envoy's form of the location", async () => {
    await gatehouse.apply(
      virtualService(
        'match: [{ uri: { exact: "/path" } }]\nredirect: { uri: /new }',
        'match: [{ uri: { exact: "/all" } }]\nredirect: { uri: "/n?z=1", authority: o.example.com, scheme: https, redirectCode: 308 }',
        'match: [{ uri: { exact: "/port" } }]\nredirect: { port: 8443, redirectCode: 307 }',
        'match: [{ uri: { exact: "/headers" } }]\nredirect: { uri: /new }\nheaders: { response: { set: { x-a: "1" }, add: { x-b: "2" } } }',
      ),
    );
    const locationOf = async (path: string) => {
      const { status, headers, body } = await send({ path });
      return [status, values({ headers }, "location"), body];
    };
    expect(await locationOf("/path?q=1")).toEqual([301, ["http://shop.example.com/new?q=1"], ""]);
    expect(await locationOf("/all?q=1")).toEqual([308, ["https://o.example.com/n?z=1"], ""]);
    expect(await locationOf("/port?q=1")).toEqual([307, ["http://shop.example.com:8443/port?q=1"], ""]);
    const changed = await send({ path: "/headers" });
    expect([values(changed, "x-a"), values(changed, "x-b")]).toEqual([["1"], ["2"]]);
    expect(upstreams.takeReceived()).toEqual([]);
  });

  it("rewrites path and host, and tells the upstream the old ones", async () => {
    await gatehouse.apply(
      virtualService(
        `match: [{ uri: { prefix: /api/ } }]\nrewrite: { uri: /v2/, authority: inside.example.com }\n${ROUTE_TO_WEB}`,
        `match: [{ uri: { regex: "/users/[0-9]+/.*" } }]\nrewrite: { uriRegexRewrite: { match: "/users/([0-9]+)/(.*)", rewrite: '/\\2/\\1$0' } }\n${ROUTE_TO_WEB}`,
        ROUTE_TO_WEB,
      ),
    );
    await send({ path: "/api/x?y=1" });
    await send({ path: "/users/7/cart?y=1" });
    await send({ path: "/kept?y=1" });
    const received = upstreams.takeReceived();
    expect(received.map(({ path, authority }) => [path, authority])).toEqual([
      ["/v2/x?y=1", "inside.example.com"],
      ["/cart/7$0?y=1", "shop.example.com"],
      ["/kept?y=1", "shop.example.com"],
    ]);
    expect(received.map((request) => values(request, "x-envoy-original-path"))).toEqual([
      ["/api/x?y=1"],
      ["/users/7/cart?y=1"],
      [],
    ]);
    expect(received.flatMap((request) => values(request, "x-envoy-original-host"))).toEqual(["shop.example.com"]);
  });

  it("answers itself for a directResponse", async () => {
    await gatehouse.apply(
      virtualService(
        'match: [{ uri: { exact: "/json" } }]\ndirectResponse: { status: 299, body: { string: "{}" } }\nheaders: { response: { set: { content-type: application/json } } }',
        "directResponse: { status: 503 }",
      ),
    );
    const json = await send({ path: "/json" });
    expect([json.status, json.body, values(json, "content-type")]).toEqual([299, "{}", ["application/json"]]);
    expect(await send()).toMatchObject({ status: 503, body: "" });
    expect(upstreams.takeReceived()).toEqual([]);
  });

  it("changes headers of request and response, line by line", async () => {
    await gatehouse.apply(
      virtualService(`
headers:
  request: { set: { x-set: "new", host: inside.example.com }, add: { x-set: "more", x-add: "a&=%% b" }, remove: [x-gone] }
  response: { set: { x-served: "1" }, add: { x-upstream: "again" }, remove: [x-up-secret] }
${ROUTE_TO_WEB}`),
    );
    const response = await send({
      headers: [
        ["x-set", "old"],
        ["x-add", "first"],
        ["x-gone", "1"],
      ],
    });
    const [received] = upstreams.takeReceived();
    expect(received?.authority).toBe("inside.example.com");
    const names = ["x-set", "x-add", "x-gone"];
    expect(names.map((name) => received && values(received, name))).toEqual([["new", "more"], ["first", "a&=% b"], []]);
    const answered = ["x-served", "x-upstream", "x-up-secret"].map((name) => values(response, name));
    expect(answered).toEqual([["1"], ["echo", "again"], []]);
    expect(
      received?.headers.filter(([name]) => name.startsWith("x-gatehouse") || name.startsWith("x-envoy-ret")),
    ).toEqual([]);
  });

  it("shares requests by weight, and gives nothing to weight 0", async () => {
    const destination = (host: string, weight: number) =>
      `{ destination: { host: ${host}, port: { number: 80 } }, weight: ${weight} }`;
    await gatehouse.apply(virtualService(`route: [${destination("web", 50)}, ${destination("other", 50)}]`));
    for (let i = 0; i < 60; i++) await send();
    // Each of the two stays away with a probability of 2^-60.
    expect(new Set(upstreams.takeReceived().map(({ upstream }) => upstream))).toEqual(new Set([WEB, OTHER]));
    await gatehouse.apply(virtualService(`route: [${destination("web", 0)}, ${destination("other", 1)}]`));
    for (let i = 0; i < 20; i++) await send();
    expect(new Set(upstreams.takeReceived().map(({ upstream }) => upstream))).toEqual(new Set([OTHER]));
  });

  const toUnruly = "route: [{ destination: { host: unruly, port: { number: 80 } } }]";

  it("gives up after the timeout", async () => {
    await gatehouse.apply(virtualService(`timeout: 0.2s\n${toUnruly}`));
    expect(await send({ path: "/hang" })).toMatchObject({ status: 504, body: "upstream request timeout" });
  });

  it.each([
    { how: "by Istio's default", fields: "", path: "/grpc/14/2", attempts: 3, status: 200 },
    { how: "by Istio's default, not for a status", fields: "", path: "/status/503/2", attempts: 1, status: 503 },
    { how: "not at all with attempts 0", fields: "attempts: 0", path: "/grpc/14/2", attempts: 1, status: 200 },
    { how: "as often as attempts says", fields: "attempts: 1", path: "/grpc/14/9", attempts: 2, status: 200 },
    {
      how: "by status code",
      fields: 'attempts: 3, retryOn: "503,connect-failure"',
      path: "/status/503/2",
      attempts: 3,
      status: 200,
    },
    {
      how: "only for what retryOn names",
      fields: "attempts: 3, retryOn: gateway-error",
      path: "/grpc/14/2",
      attempts: 1,
      status: 200,
    },
    {
      how: "after a time limit for each attempt",
      fields: "attempts: 2, perTryTimeout: 0.1s, retryOn: 5xx",
      path: "/hang",
      attempts: 3,
      status: 504,
    },
  ])("retries $how", async ({ fields, path, attempts, status }) => {
    await gatehouse.apply(virtualService(`${fields === "" ? "" : `retries: { ${fields} }`}\n${toUnruly}`));
    const response = await send({ path, headers: [["x-envoy-max-retries", "7"]] });
    expect([response.status, unruly.takeCount()]).toEqual([status, attempts]);
  });

  it("retries by Istio's default where header operations take another route of Envoy", async () => {
    await gatehouse.apply(virtualService(`headers: { response: { remove: [x-any] } }\n${toUnruly}`));
    await send({ path: "/grpc/14/2" });
    expect(unruly.takeCount()).toBe(3);
  });

  it("delays and aborts on purpose", async () => {
    await gatehouse.apply(
      virtualService(
        `match: [{ uri: { exact: "/delay" } }]\nfault: { delay: { percentage: { value: 100 }, fixedDelay: 0.3s } }\n${ROUTE_TO_WEB}`,
        `match: [{ uri: { exact: "/abort" } }]\nfault: { abort: { percentage: { value: 100 }, httpStatus: 418 } }\n${ROUTE_TO_WEB}`,
        `fault: { abort: { percentage: { value: 0 }, httpStatus: 418 } }\n${ROUTE_TO_WEB}`,
      ),
    );
    const begin = performance.now();
    expect((await send({ path: "/delay" })).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(295);
    expect(upstreams.takeReceived().flatMap((request) => values(request, "x-envoy-fault-delay-request"))).toEqual([]);
    expect(await send({ path: "/abort" })).toMatchObject({ status: 418, body: "fault filter abort" });
    expect(upstreams.takeReceived()).toEqual([]);
    expect((await send({ headers: [["x-envoy-fault-abort-request", "418"]] })).status).toBe(200);
  });

  it("sends plain requests to https where the server of the Gateway says so", async () => {
    await gatehouse.apply(virtualService(ROUTE_TO_WEB));
    const response = await send({ path: "/a?b" }, "redirecting");
    expect([response.status, values(response, "location")]).toEqual([301, ["https://shop.example.com/a?b"]]);
    expect((await send({ path: "/a?b" })).status).toBe(200);
  });

  it("answers preflights and marks responses by the CORS policy", async () => {
    await gatehouse.apply(
      virtualService(
        `
corsPolicy:
  allowOrigins: [{ exact: "https://app.example.com" }]
  allowMethods: [GET, PUT]
  exposeHeaders: [x-seen]
  maxAge: 24h
${ROUTE_TO_WEB}`,
      ),
    );
    const preflight = (origin: string) =>
      send({
        method: "OPTIONS",
        headers: [
          ["Origin", origin],
          ["Access-Control-Request-Method", "PUT"],
        ],
      });
    const allowed = await preflight("https://app.example.com");
    expect([allowed.status, values(allowed, "access-control-allow-methods")]).toEqual([200, ["GET,PUT"]]);
    expect(values(allowed, "access-control-max-age")).toEqual(["86400"]);
    expect(upstreams.takeReceived()).toEqual([]);
    expect(values(await preflight("https://evil.example.com"), "access-control-allow-origin")).toEqual([]);
    expect(upstreams.takeReceived()).toHaveLength(1);
    const simple = await send({ headers: [["Origin", "https://app.example.com"]] });
    expect(values(simple, "access-control-allow-origin")).toEqual(["https://app.example.com"]);
    expect(values(simple, "access-control-expose-headers")).toEqual(["x-seen"]);
  });

  it("puts the routes of a delegate where its root names it", async () => {
    await gatehouse.apply(
      virtualService(
        "match: [{ uri: { prefix: /shop } }]\ndelegate: { name: shop }",
        "match: [{ uri: { prefix: /lost } }]\ndelegate: { name: missing }",
        "match: [{ uri: { prefix: /rest } }]\nroute: [{ destination: { host: other, port: { number: 80 } } }]",
      ) +
        manifest("shop", "exportTo: []", [
          `match: [{ uri: { prefix: /shop/cart } }]\nrewrite: { uri: /cart }\n${ROUTE_TO_WEB}`,
          `match: [{ uri: { prefix: /elsewhere } }]\n${ROUTE_TO_WEB}`,
          "route: [{ destination: { host: other, port: { number: 80 } } }]",
        ]),
    );
    const statuses = [];
    for (const path of ["/shop/cart/1", "/shop/x", "/elsewhere", "/lost", "/rest"]) {
      statuses.push((await send({ path })).status);
    }
    expect(statuses).toEqual([200, 200, 404, 404, 200]);
    expect(upstreams.takeReceived().map(({ upstream, path }) => [upstream, path])).toEqual([
      [WEB, "/cart/1"],
      [OTHER, "/shop/x"],
      [OTHER, "/rest"],
    ]);
  });

  it("answers 404 for the hosts of a VirtualService whose routes are not valid", async () => {
    await gatehouse.apply(
      virtualService(ROUTE_TO_WEB) +
        manifest("broken", "hosts: [broken.example.com]\n  gateways: [gw]", [
          `match: [{ uri: { regex: "(" } }]\n${ROUTE_TO_WEB}`,
        ]),
    );
    expect((await send({ authority: "broken.example.com" })).status).toBe(404);
    expect((await send({ authority: "other.example.com" })).status).toBe(200);
  });

  it("says at load which fields it can't carry out", async () => {
    await gatehouse.apply(
      virtualService(`mirror: { host: other }\nheaders: { response: { remove: [x-a] } }\n${ROUTE_TO_WEB}`),
    );
    const lines = gatehouse.log().filter((line) => line.includes("foo/vs"));
    expect(lines.join("")).toContain("spec.http[0].mirror");
    expect(lines.join("")).not.toContain("response.remove");
  });
});

function values({ headers }: Pick<RawResponse, "headers">, name: string): readonly string[] {
  return headers.filter(([candidate]) => candidate === name).map(([, value]) => value);
}
