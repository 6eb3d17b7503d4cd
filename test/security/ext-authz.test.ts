import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { parse } from "yaml";
import { type CheckHarness, createCheckHarness, encodeCheck, readAnswer } from "../support/check-harness.ts";
import { encodeAsDecision, startTestCheckServer } from "../support/check-server.ts";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap, type EnvoyProfile, profileFile } from "../support/envoy-config.ts";
import { publicJwks } from "../support/jwt.ts";
import { field, rawCheckRequest } from "../support/proto-bytes.ts";
import { sendRaw } from "../support/raw-http.ts";
import { type ScriptedAuthz, startScriptedAuthz } from "../support/scripted-authz.ts";
import { type SecurityCase, securityTest } from "./register.ts";
import { ANYJWT, authorizationPolicy, forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

const DENY_ALL = authorizationPolicy("deny-all", "");

function server(policies: string): Promise<CheckHarness> {
  return createCheckHarness({ policies, nowMs: () => NOW_SEC * 1000 });
}

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome"> & Partial<SecurityCase>,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "check", ...about };
}

const EMPTY_IS_ALLOW = "an empty CheckResponse is allow in Envoy";

describe("the answer as bytes", () => {
  const denial = {
    kind: "respond",
    status: 403,
    headers: [{ name: "www-authenticate", value: "Bearer" }],
    body: "RBAC: access denied",
    reason: "deny_policy",
    ref: null,
  };

  securityTest(
    attack("H01", "C", {
      level: "unit",
      source: EMPTY_IS_ALLOW,
      title: "a denial with a member dropped, renamed or of another type",
      outcome: "refused by the encoder, or a code other than 0",
    }),
    () => {
      const values = [
        undefined,
        null,
        0,
        -1,
        1.5,
        Number.NaN,
        "",
        "403",
        "PERMISSION_DENIED",
        {},
        [],
        true,
        [{}],
        [null],
      ];
      const mutants: unknown[] = [undefined, null, {}, [], "deny", 7, { status: { code: 7 } }];
      for (const name of Object.keys(denial)) {
        const { [name]: old, ...rest } = denial as Readonly<Record<string, unknown>>;
        mutants.push(rest, { ...rest, [`${name}s`]: old }, { ...rest, [name.toUpperCase()]: old });
        mutants.push(...values.map((value) => ({ ...rest, [name]: value })));
      }
      for (const header of [{ name: "a" }, { value: "b" }, { name: 1, value: 2 }, { name: "a\r\nb", value: "" }]) {
        mutants.push({ ...denial, headers: [header] });
      }
      const encoded = mutants.flatMap((mutant) => codeOf(mutant) ?? []);
      expect(encoded.length).toBeGreaterThan(20);
      expect(encoded.filter((code) => code === 0)).toEqual([]);
      expect(codeOf(denial)).toBe(7);
    },
  );

  securityTest(
    attack("H02", "C", {
      source: "a handler that throws ends a Node process",
      title: "a handler that throws, rejects, never answers",
      outcome: "gRPC error, never an answer; the process lives, the counter rises",
    }),
    async () => {
      let behaviour: () => Uint8Array | Promise<Uint8Array> = () => new Uint8Array();
      const front = await startTestCheckServer(() => behaviour());
      const message = encodeCheck({});
      try {
        behaviour = () => {
          throw new TypeError("bug");
        };
        expect(await front.call(message)).toMatchObject({ code: 13, answer: new Uint8Array() });
        behaviour = () => Promise.reject(new Error("bug"));
        expect((await front.call(message)).code).toBe(13);
        behaviour = () => Promise.reject(undefined);
        expect((await front.call(message)).code).toBe(13);
        behaviour = () => new Promise(() => undefined);
        expect((await front.call(message, 200)).code).toBe(4);
        behaviour = () => encodeAsDecision(denial);
        expect(readAnswer((await front.call(message)).answer)).toMatchObject({ code: 7, status: 403 });
        expect(await front.metrics()).toMatch(/errors_total\{kind="handler"\} 3/);
      } finally {
        await front.stop();
      }
    },
  );

  securityTest(
    attack("H04", "C", {
      source: "CVE-2023-27488, CVE-2024-23324",
      title: "texts and metadata that are no UTF-8",
      outcome: "decided like any bytes; never an error of the call",
    }),
    async () => {
      const bad = Buffer.from([0x2f, 0xff, 0xfe, 0xc0, 0x80, 0x61]);
      const metadata = field(1, [
        field(1, "envoy.filters.http.x"),
        field(2, [field(1, [field(1, bad), field(2, bad)])]),
      ]);
      const messages = [
        { path: bad },
        { host: bad },
        { method: bad },
        { headers: [[bad, bad]] as const },
        { metadata },
      ].map(rawCheckRequest);
      const byMetadata = authorizationPolicy(
        "meta",
        'rules: [{ when: [{ key: "experimental.envoy.filters.http.x[key]", values: ["*"] }] }]',
      );
      const byPath = authorizationPolicy("path", 'rules: [{ to: [{ operation: { paths: ["/public"] } }] }]');
      for (const policies of [DENY_ALL, byMetadata, byPath, requestAuthentication(publicJwks()) + ANYJWT]) {
        const harness = await server(policies);
        for (const message of messages) {
          const answer = await harness.checkBytes(message);
          expect(answer.code).not.toBe(0);
          expect([403, 500]).toContain(answer.status);
        }
      }
    },
  );
});

function codeOf(mutant: unknown): number | undefined {
  try {
    return readAnswer(encodeAsDecision(mutant)).code;
  } catch {
    return undefined; // the handler then answers with its own denial
  }
}

describe("headers made from claims", () => {
  const OUTPUT = requestAuthentication(publicJwks(), "      outputClaimToHeaders: [{ header: x-jwt-c, claim: c }]");
  let harness: CheckHarness;
  beforeAll(async () => {
    harness = await server(OUTPUT);
  });

  const withClaim = (c: unknown, headers: readonly (readonly [string, string])[] = []) =>
    harness.check({ token: forge({ claims: { c } }), headers });

  securityTest(
    attack("H05", "C", {
      source: "CVE-2023-27493",
      title: "a claim with a line break, NUL or DEL",
      outcome: "the header is left out, a client's copy removed",
    }),
    async () => {
      for (const c of ["a\r\nx-evil: 1", "a\nb", "\u0000", "a\u007f", "\u001b[0m", "\r", "a\u0000b"]) {
        const answer = await withClaim(c, [["x-jwt-c", "spoofed"]]);
        expect(answer.code).toBe(0);
        expect(answer.set.has("x-jwt-c"), JSON.stringify(c)).toBe(false);
        expect(answer.removed).toContain("x-jwt-c");
        expect(Buffer.from(answer.bytes).includes("x-evil")).toBe(false);
      }
    },
  );

  securityTest(
    attack("H06", "M", {
      source: "parity",
      title: "claims outside ASCII",
      outcome: "UTF-8 bytes, as Envoy's jwt_authn",
    }),
    async () => {
      for (const c of ["é", "日本", "😀"]) expect((await withClaim(c)).set.get("x-jwt-c")).toBe(c);
    },
  );

  securityTest(
    attack("H07", "M", {
      source: "parity",
      title: "claims that are no text",
      outcome: "as Envoy: six digits, base64 of JSON, nothing for empty",
    }),
    async () => {
      const rows = [
        ...[[1, "1"] as const, [1.5, "1.500000"] as const, [-1, "-1.000000"] as const],
        ...[[1e21, "1000000000000000000000.000000"] as const, [true, "true"] as const, [false, "false"] as const],
        ...[[["a", "b"], "WyJhIiwiYiJd"] as const, [{ a: 1 }, "eyJhIjoxfQ=="] as const],
        ...[["", undefined] as const, [null, undefined] as const],
      ];
      for (const [c, expected] of rows) expect((await withClaim(c)).set.get("x-jwt-c")).toBe(expected);
    },
  );

  securityTest(
    attack("H08", "H", {
      source: "Envoy removes last",
      title: "a client's copy of a header that we set",
      outcome: "overwritten, never also removed",
    }),
    async () => {
      const answer = await withClaim("own", [
        ["x-jwt-c", "spoofed"],
        ["x-jwt-c", "again"],
        ["x_jwt_c", "other"],
      ]);
      expect([...answer.set]).toEqual([["x-jwt-c", "own"]]);
      expect(answer.removed).toContain("x_jwt_c");
      expect(answer.removed).not.toContain("x-jwt-c");
    },
  );

  securityTest(
    attack("H09", "M", {
      source: "keep_empty_value",
      title: "a header that is emptied by setting nothing",
      outcome: "never set to an empty value; removed",
    }),
    async () => {
      for (const c of ["", null, undefined]) {
        const answer = await withClaim(c, [["x-jwt-c", "spoofed"]]);
        expect([...answer.set.values()].filter((value) => value === "")).toEqual([]);
        expect(answer.removed).toContain("x-jwt-c");
      }
    },
  );

  securityTest(
    attack("H10", "H", {
      level: "policy",
      source: "request smuggling by policy",
      title: "claims copied to headers of the transport, of Envoy, or of ours",
      outcome: "refused with a reason; the rule rejects its tokens",
    }),
    async () => {
      const names = [
        ...[
          "host",
          "Host",
          ":path",
          ":authority",
          "authorization",
          "content-length",
          "transfer-encoding",
          "connection",
        ],
        ...["x-envoy-original-path", "X-Envoy-Retry-On", "x-forwarded-for", "x_forwarded_for", "x-gatehouse-cluster"],
        ...["x-gatehouse-route", "te", "upgrade", "proxy-authorization"],
      ];
      for (const name of names) {
        const outputs = [
          `      outputClaimToHeaders: [{ header: "${name}", claim: sub }]`,
          `      outputPayloadToHeader: "${name}"`,
        ];
        for (const output of outputs) {
          const refusing = await server(requestAuthentication(publicJwks(), output));
          expect(
            refusing.reports().map(({ accepted }) => accepted),
            output,
          ).toEqual([false]);
          expect((await refusing.check({ token: forge() })).status, output).toBe(401);
        }
      }
    },
  );
});

describe("answers that clients see", () => {
  const GATEWAY = `${requestAuthentication(publicJwks())}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: foo }
spec:
  selector: { app: httpbin }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: vs1, namespace: foo }
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
    - match: [{ uri: { prefix: /headers }, headers: { "@request.auth.claims.groups": { exact: group1 } } }]
      route: [{ destination: { host: httpbin, port: { number: 8000 } } }]
---`;

  securityTest(
    attack("H11", "H", {
      source: "ext_authz without clear_route_cache",
      title: "a claim route that Envoy would not look at again",
      outcome: "every profile clears the route cache; the answer always sets the header that routes",
    }),
    async () => {
      for (const { name, checks } of shippedFilters()) {
        expect(
          checks.map((check) => check["clear_route_cache"]),
          name,
        ).toEqual([true]);
      }
      const harness = await server(GATEWAY);
      const answer = await harness.check({ token: forge({ claims: { groups: ["group1"] } }) });
      expect(answer.set.get("x-gatehouse-cluster")).toBe("httpbin.foo.svc.cluster.local:8000");
      const spoofed = await harness.check({ headers: [["x-gatehouse-cluster", "httpbin.foo.svc.cluster.local:8000"]] });
      expect(spoofed.status).toBe(403);
    },
  );

  securityTest(
    attack("H12", "H", {
      level: "policy",
      source: "Envoy's documentation of ext_authz",
      title: "a later filter that clears the route cache, a route that switches the filter off",
      outcome: "no profile has one; the README says why",
    }),
    () => {
      for (const { name, filters, text } of shippedFilters()) {
        const check = filters.findIndex((filter) => filter.name === "envoy.filters.http.ext_authz");
        for (const { name: filter, typed_config } of filters.slice(check + 1)) {
          expect(["envoy.filters.http.fault", "envoy.filters.http.lua", "envoy.filters.http.router"], name).toContain(
            filter,
          );
          if (filter.endsWith(".lua")) expect(typed_config["clear_route_cache"], name).toBe(false);
        }
        expect(text).not.toContain("clearRouteCache");
        expect(text).not.toMatch(/ExtAuthzPerRoute|disabled: true/);
      }
    },
  );

  securityTest(
    attack("H13", "M", {
      source: "CVE-2024-34364",
      title: "bodies and headers of denials that grow with the request, or repeat it",
      outcome: "fixed bodies under 1 KB; only the challenge names the URL, cut, without its query",
    }),
    async () => {
      const canary = "canary";
      const long = canary.repeat(2_000);
      const harness = await server(requestAuthentication(publicJwks()) + DENY_ALL);
      const denials = [
        await harness.check({ path: `/${long}?${long}`, headers: [["x-a", long]] }),
        await harness.check({ path: `/p?${long}`, token: long }),
        await harness.check({ path: `/p?${canary}`, token: `${canary}.${canary}.${canary}` }),
        await harness.check({ path: `/${"a".repeat(4_000)}`, token: long }),
      ];
      for (const answer of denials) {
        expect(answer.code).not.toBe(0);
        expect(answer.bytes.length).toBeLessThan(1_024);
        expect(Buffer.from(answer.bytes).includes(canary)).toBe(false);
      }
    },
  );

  securityTest(
    attack("H14", "M", {
      source: "CVE-2025-25294, CVE-2024-45808",
      title: "line breaks, quotes, JSON and escape sequences in what is logged",
      outcome: "one JSON object for each line; nothing is forged",
    }),
    async () => {
      const evil = '\n{"level":60,"forged":true}\r\n"\u001b[31m\u2028';
      const harness = await server(requestAuthentication(publicJwks()) + ANYJWT);
      await harness.check({ path: `/${evil}`, host: evil, headers: [["user-agent", evil]], principal: evil });
      await harness.check({ namespace: evil });
      await harness.check({ token: forge({ header: { alg: "RS256", kid: evil } }) });
      await harness.check({ token: forge({ claims: { sub: evil } }) });
      for (const line of harness.log()) {
        expect(line.trimEnd()).not.toContain("\n");
        const entry: { readonly forged?: boolean } = JSON.parse(line);
        expect(entry.forged).toBeUndefined();
      }
      expect(harness.log().length).toBeGreaterThan(0);
    },
  );

  securityTest(
    attack("H15", "M", {
      source: "identity of the workload",
      title: "a client that says who it is, an Envoy that says nothing or nonsense",
      outcome: "headers are not read; without a usable identity 403",
    }),
    async () => {
      const harness = await server(DENY_ALL);
      const lies = ["gatehouse-namespace", "gatehouse-labels", "x-context-extensions"].map(
        (name) => [name, "elsewhere"] as const,
      );
      expect((await harness.check({ headers: lies })).status).toBe(403);
      expect((await harness.check({ namespace: "elsewhere" })).status).toBe(200);
      for (const namespace of ["", "UPPER", "a/b", "*", "a".repeat(64), "foo,elsewhere", "foo, elsewhere"]) {
        expect((await harness.check({ namespace })).status, namespace).toBe(403);
      }
      const labels = await harness.check({ namespace: "elsewhere", labels: "no-pair" });
      expect(labels.status).toBe(403);
      // The configuration of the Envoy says it twice: the filter's or virtual host's own statement wins over the metadata.
      const extension = await harness.check({ contextExtensions: { "gatehouse-namespace": "elsewhere" } });
      expect(extension.status).toBe(200);
    },
  );

  securityTest(
    attack("H16", "H", {
      source: "CVE-2022-29226",
      title: "credentials that are present, but malformed or unsigned",
      outcome: "401 or 403, never as if they were good",
    }),
    async () => {
      const harness = await server(requestAuthentication(publicJwks()) + ANYJWT);
      const [header, payload] = forge().split(".");
      for (const value of [
        "Bearer x",
        "Bearer",
        "Bearer ",
        `Bearer ${header}.${payload}.`,
        "Basic YTpi",
        "bearer x",
        "true",
        "",
      ]) {
        expect([401, 403], value).toContain((await harness.check({ headers: [["authorization", value]] })).status);
      }
      const cookie = await harness.check({ headers: [["cookie", `access_token=${forge()}; session=1`]] });
      expect(cookie.status).toBe(403);
    },
  );

  securityTest(
    attack("H17", "M", {
      source: "parity",
      title: "bad token, missing right, no route",
      outcome: "401 with a challenge, 403, 404; bodies are constant",
    }),
    async () => {
      const harness = await server(GATEWAY + ANYJWT);
      const bad = await harness.check({ token: "a.b.c" });
      expect(bad).toMatchObject({ status: 401, code: 16, body: "Jwt header is an invalid Base64url encoded" });
      expect(bad.headers.get("www-authenticate")).toMatch(/^Bearer realm="[^"]*", error="invalid_token"$/);
      expect(await harness.check()).toMatchObject({ status: 403, code: 7, body: "RBAC: access denied" });
      expect(await harness.check({ token: forge() })).toMatchObject({ status: 404, code: 7, body: "" });
      expect(await harness.check({ token: forge({ claims: { groups: "group1" } }) })).toMatchObject({
        status: 200,
        code: 0,
      });
    },
  );
});

describe("an authorizer that fails, in front of a real Envoy", () => {
  const IDENTITY = { namespace: "foo", labels: { app: "httpbin" } };
  let authz: ScriptedAuthz;
  let upstreams: EchoUpstreams;
  const envoys: EnvoyProcess[] = [];
  const resetting = createServer((socket: Socket) => void socket.once("data", () => socket.resetAndDestroy()));

  beforeAll(async () => {
    authz = await startScriptedAuthz();
    upstreams = await startEchoUpstreams(["app"]);
    await new Promise<void>((resolve) => resetting.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    for (const envoy of envoys) await envoy.stop();
    await upstreams?.stop();
    authz?.stop();
    resetting.close();
  });

  async function start(profile: EnvoyProfile, authzPort: number): Promise<(method: string) => Promise<number>> {
    const envoy = await startEnvoy(
      buildEnvoyBootstrap({
        authzPort,
        checkTimeoutMs: 400,
        clusters: new Map([["app", upstreams.port("app")]]),
        listeners: [{ name: "in", profile, identity: IDENTITY }],
      }),
    );
    envoys.push(envoy);
    return async (method) => {
      const request = { method, authority: "httpbin.foo", path: "/headers", headers: [] };
      return (await sendRaw(envoy.listenerPort("in"), request)).status;
    };
  }

  securityTest(
    attack("H03", "C", {
      level: "envoy",
      source: "failure_mode_allow",
      title: "an authorizer that is slow, answers with an error, resets, is gone",
      outcome: "503 by the shipped profiles, never forwarded; no profile has failure_mode_allow",
    }),
    async () => {
      for (const { name, checks } of shippedFilters()) {
        expect(
          checks.map((check) => check["failure_mode_allow"]),
          name,
        ).toEqual([false]);
      }
      const send = await start("istio-sidecar", authz.port);
      expect(await send("GET")).toBe(200);
      upstreams.takeReceived();
      for (const code of [13, 14, 2, 16, 7, 1]) {
        authz.answer({ kind: "fail", code });
        expect(await send("GET"), `gRPC code ${code}`).toBe(503);
      }
      authz.answer({ kind: "hang" });
      expect(await send("GET"), "slow").toBe(503);
      authz.stop();
      expect(await send("HEAD"), "gone").toBe(503);
      const address = resetting.address();
      const reset = await start("istio-sidecar", typeof address === "object" ? (address?.port ?? 0) : 0);
      expect(await reset("GET"), "reset").toBe(503);
      const hardened = await start("hardened", authz.port);
      expect(await hardened("GET"), "hardened, gone").toBe(503);
      expect(upstreams.takeReceived()).toEqual([]);
    },
    60_000,
  );
});

type Filter = { readonly name: string; readonly typed_config: Readonly<Record<string, unknown>> };

/** The HTTP filters of every Envoy configuration that is shipped. */
function shippedFilters(): readonly {
  readonly name: string;
  readonly text: string;
  readonly filters: readonly Filter[];
  readonly checks: readonly Readonly<Record<string, unknown>>[];
}[] {
  const directory = new URL(".", profileFile("hardened"));
  const files = readdirSync(directory).filter((file) => file.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(3);
  return files.map((name) => {
    const text = readFileSync(new URL(name, directory), "utf8");
    const [listener] = parse(text).static_resources.listeners;
    const filters: readonly Filter[] = listener.filter_chains[0].filters[0].typed_config.http_filters;
    const checks = filters.filter((filter) => filter.name === "envoy.filters.http.ext_authz");
    return { name, text, filters, checks: checks.map((filter) => filter.typed_config) };
  });
}
