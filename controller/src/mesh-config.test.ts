import { describe, expect, test } from "vitest";
import { parseMeshConfig } from "./mesh-config.ts";

describe("a MeshConfig file", () => {
  test("that is empty gives Istio's defaults", () => {
    expect(parseMeshConfig("")).toEqual({
      meshConfig: {
        kind: "MeshConfig",
        minReaderVersion: 1,
        rootNamespace: "istio-system",
        trustDomain: "cluster.local",
        trustDomainAliases: [],
        dnsSuffix: "svc.cluster.local",
        pathNormalization: "BASE",
        numTrustedProxies: 0,
        strictPaths: false,
        keysUnavailable: 401,
        routing: "cluster",
        unmatchedHosts: "notFound",
        requireExp: false,
      },
      providers: [],
      unused: [],
      errors: [],
    });
  });

  test("is read in Istio's form, and what has no effect is listed", () => {
    const text = `
rootNamespace: root
trustDomain: td
trustDomainAliases: [old-td]
pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}
accessLogFile: /dev/stdout
defaultConfig:
  concurrency: 2
  gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: SANITIZE}
extensionProviders:
  - name: jaeger
    zipkin: {service: jaeger, port: 9411}
`;
    const { meshConfig, providers, unused, errors } = parseMeshConfig(text);
    expect(meshConfig).toMatchObject({
      rootNamespace: "root",
      trustDomain: "td",
      trustDomainAliases: ["old-td"],
      pathNormalization: "DECODE_AND_MERGE_SLASHES",
      numTrustedProxies: 2,
    });
    expect(providers).toEqual([]);
    expect(errors).toEqual([]);
    expect(unused).toEqual([
      "accessLogFile",
      "defaultConfig.concurrency",
      "defaultConfig.gatewayTopology.forwardClientCertDetails",
      "extensionProviders[0].zipkin",
    ]);
  });

  test("takes our own settings from beside it", () => {
    const settings = { dnsSuffix: "svc.corp", strictPaths: true, keysUnavailable: 503, routing: "header" } as const;
    expect(parseMeshConfig("", settings).meshConfig).toMatchObject({ ...settings, unmatchedHosts: "passthrough" });
    expect(parseMeshConfig("", { ...settings, unmatchedHosts: "notFound" }).meshConfig.unmatchedHosts).toBe("notFound");
  });

  test("asks for servers that can do what it wants", () => {
    expect(parseMeshConfig("").meshConfig.minReaderVersion).toBe(1);
    expect(parseMeshConfig("", { requireExp: true }).meshConfig).toMatchObject({
      requireExp: true,
      minReaderVersion: 2,
    });
  });

  test("names every error by its path", () => {
    const text = `
rootNamespace: ""
trustDomain: [a]
trustDomainAliases: old
pathNormalization: {normalization: SOME}
defaultConfig: {gatewayTopology: {numTrustedProxies: -1}}
extensionProviders:
  - name: bad
    envoyExtAuthzHttp: {service: foo/, port: 0, timeout: soon, pathPrefix: x, statusOnError: "99", failOpen: "yes"}
`;
    expect(parseMeshConfig(text).errors.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "pathNormalization.normalization: must be one of DEFAULT, NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES",
      "rootNamespace: must not be empty",
      "trustDomain: must be a text",
      "trustDomain: must not be empty",
      "trustDomainAliases: must be a list",
      "defaultConfig.gatewayTopology.numTrustedProxies: must be a whole number of 0-1000",
      "extensionProviders[0].envoyExtAuthzHttp.service: must be a host name, or namespace/host",
      "extensionProviders[0].envoyExtAuthzHttp.port: must be a whole number of 1-65535",
      "extensionProviders[0].envoyExtAuthzHttp.timeout: must be a duration of at least 1ms, such as 5s",
      "extensionProviders[0].envoyExtAuthzHttp.failOpen: must be true or false",
      "extensionProviders[0].envoyExtAuthzHttp.statusOnError: must be an HTTP status of 200-599, in quotes",
      "extensionProviders[0].envoyExtAuthzHttp.pathPrefix: must start with /",
    ]);
  });

  test("that is no YAML, or no object, is an error", () => {
    expect(parseMeshConfig("a: [").errors).toHaveLength(1);
    expect(parseMeshConfig("- a").errors).toEqual([{ path: "", message: "must be an object" }]);
  });
});

describe("extension providers", () => {
  test("of gRPC have Istio's defaults", () => {
    const text =
      "extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: ns/opa.ns.svc.cluster.local, port: 9191}}]";
    expect(parseMeshConfig(text).providers).toEqual([
      {
        kind: "ExtensionProvider",
        name: "opa",
        minReaderVersion: 1,
        protocol: "grpc",
        service: "opa.ns.svc.cluster.local",
        port: 9191,
        timeoutMs: 600_000,
        failOpen: false,
        statusOnError: 403,
        pathPrefix: "",
        includeRequestHeadersInCheck: [],
        includeAdditionalHeadersInCheck: [],
        headersToUpstreamOnAllow: [],
        headersToDownstreamOnDeny: [],
        headersToDownstreamOnAllow: [],
        maxRequestBytes: 0,
        allowPartialMessage: false,
      },
    ]);
  });

  test("of HTTP are read with all their fields", () => {
    const text = `
extensionProviders:
  - name: http
    envoyExtAuthzHttp:
      service: authz.example
      port: "8000"
`;
    expect(parseMeshConfig(text).errors).toHaveLength(1);
    const whole = `
extensionProviders:
  - name: http
    envoyExtAuthzHttp:
      service: authz.example
      port: 8000
      timeout: 2s
      failOpen: true
      clearRouteCache: true
      statusOnError: "503"
      pathPrefix: /check
      includeRequestHeadersInCheck: [X-A, "x-b*"]
      includeAdditionalHeadersInCheck: {x-static: "1"}
      headersToUpstreamOnAllow: [X-User]
      headersToDownstreamOnDeny: [Set-Cookie]
      headersToDownstreamOnAllow: [X-Ok]
      includeRequestBodyInCheck: {maxRequestBytes: 1024, allowPartialMessage: true, packAsBytes: true}
`;
    const { providers, unused, errors } = parseMeshConfig(whole);
    expect(errors).toEqual([]);
    expect(unused).toEqual([
      "extensionProviders[0].envoyExtAuthzHttp.clearRouteCache",
      "extensionProviders[0].envoyExtAuthzHttp.includeRequestBodyInCheck.packAsBytes",
    ]);
    expect(providers).toMatchObject([
      {
        protocol: "http",
        port: 8000,
        timeoutMs: 2000,
        failOpen: true,
        statusOnError: 503,
        pathPrefix: "/check",
        includeRequestHeadersInCheck: ["x-a", "x-b*"],
        includeAdditionalHeadersInCheck: [{ name: "x-static", value: "1" }],
        headersToUpstreamOnAllow: ["x-user"],
        headersToDownstreamOnDeny: ["set-cookie"],
        headersToDownstreamOnAllow: ["x-ok"],
        maxRequestBytes: 1024,
        allowPartialMessage: true,
      },
    ]);
  });

  test("with one name twice are an error", () => {
    const text =
      "extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: s, port: 1}}, {name: a, envoyExtAuthzGrpc: {service: s, port: 1}}]";
    expect(parseMeshConfig(text).errors).toEqual([
      { path: "extensionProviders[1].name", message: "extension provider a is there twice" },
    ]);
  });
});
