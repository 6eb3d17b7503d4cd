import { Agent, request } from "node:http";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { createCheckHarness, translatePolicies } from "../support/check-harness.ts";
import { mintTestToken } from "../support/jwt.ts";
import { all, pathStatuses, serverWith, statusesOf } from "./fixtures/check.ts";
import { type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import {
  ANYJWT,
  authorization,
  DENY_ADMIN,
  type Fixture,
  from,
  GATEWAY,
  manifests,
  NOJWT,
  RA1,
  requestAuthentication,
  to,
  VS1,
  virtualService,
} from "./fixtures/policies.ts";
import { securityTest } from "./register.ts";

const MODES = ["exact", "strict"] as const;
const BOTH: readonly ["exact", "strict"] = ["exact", "strict"];

/** A whole object in YAML's flow form, for what the builders would not let through. */
function raw(kind: string, name: string, spec: string, metadata = ""): string {
  const apiVersion = kind === "VirtualService" ? "networking.istio.io/v1" : "security.istio.io/v1";
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: foo${metadata} }\nspec: ${spec}\n`;
}

/** A VirtualService that answers 204 where header x matches the expression. */
function regexRoute(regex: string): string {
  return virtualService("regex", [{ match: [{ headers: { x: { regex } } }], directResponse: { status: 204 } }]);
}

/** Which of the values match the expression, through a route. */
async function matching(regex: string, values: readonly string[]): Promise<readonly string[]> {
  const server = await serverWith("exact", regexRoute(regex));
  const asks = values.map((value) => ({ headers: [["x", value]] as const, gateways: GATEWAY }));
  const statuses = await statusesOf(server, asks);
  return values.filter((_, i) => statuses[i] === 204);
}

describe("the order of policies", () => {
  securityTest(
    {
      id: "G01",
      severity: "C",
      source: "order of evaluation",
      mode: BOTH,
      level: "check",
      title: "CUSTOM comes before DENY, DENY before ALLOW, and an ALLOW without rules allows nothing",
      outcome: "deny",
    },
    async () => {
      const nothing = authorization("nothing", "ALLOW");
      const all = authorization("all", "ALLOW", {});
      const denyAdmin = authorization("deny-admin", "DENY", to({ paths: ["/admin"] }));
      const custom = raw(
        "AuthorizationPolicy",
        "custom",
        "{ action: CUSTOM, provider: { name: nobody }, rules: [{ to: [{ operation: { paths: [/custom] } }] }] }",
      );
      for (const mode of MODES) {
        expect(await statusesOf(await serverWith(mode), [{}])).toEqual([200]);
        expect(await statusesOf(await serverWith(mode, nothing), [{}])).toEqual([403]);
        const paths = ["/admin", "/custom", "/other"].map((path) => ({ path }));
        expect(await statusesOf(await serverWith(mode, all, denyAdmin, custom), paths)).toEqual([403, 403, 200]);
        expect(await statusesOf(await serverWith(mode, nothing, all), [{}])).toEqual([200]);
      }
    },
  );

  securityTest(
    {
      id: "G13",
      severity: "H",
      source: "the pattern of Istio's documents",
      mode: BOTH,
      level: "check",
      title: "a DENY of all but one path without a token lets only that path through",
      outcome: "deny",
    },
    async () => {
      const paths = ["/productpage", "/productpage/", "//productpage", "/admin", "/productpage/../admin"];
      for (const mode of MODES) {
        expect(await pathStatuses(mode, [RA1, NOJWT], paths)).toEqual({ ...all(403, paths), "/productpage": 200 });
      }
    },
  );

  securityTest(
    {
      id: "G16",
      severity: "H",
      source: "dry run",
      mode: BOTH,
      level: "check",
      title: "a policy in dry-run or with AUDIT denies nothing, and nothing but `true` switches dry-run on",
      outcome: "logged, not enforced; enforced",
    },
    async () => {
      const rules = "rules: [{ to: [{ operation: { paths: [/admin] } }] }]";
      const dryRun = (value: string) =>
        raw(
          "AuthorizationPolicy",
          "dry",
          `{ action: DENY, ${rules} }`,
          `, annotations: { istio.io/dry-run: "${value}" }`,
        );
      const audit = raw("AuthorizationPolicy", "audit", `{ action: AUDIT, ${rules} }`);
      for (const mode of MODES) {
        const ask = [{ path: "/admin" }];
        expect(await statusesOf(await serverWith(mode, dryRun("true")), ask)).toEqual([200]);
        expect(await statusesOf(await serverWith(mode, audit), ask)).toEqual([200]);
        for (const typo of ["false", "yes", "tru", "true ", ""]) {
          expect([typo, await statusesOf(await serverWith(mode, dryRun(typo)), ask)]).toEqual([typo, [403]]);
        }
        const key = raw(
          "AuthorizationPolicy",
          "key",
          `{ action: DENY, ${rules} }`,
          `, annotations: { istio.io/dryrun: "true" }`,
        );
        expect(await statusesOf(await serverWith(mode, key), ask)).toEqual([403]);
      }
    },
  );
});

describe("broken policies", () => {
  securityTest(
    {
      id: "G02",
      severity: "C",
      source: "Istio drops bad rules",
      mode: BOTH,
      level: "policy",
      title: "one bad rule of a DENY takes nothing away from the others and denies more",
      outcome: "deny in its scope, Accepted=False",
    },
    async () => {
      const good = to({ paths: ["/good"] });
      const bad = [
        { ...to({ paths: ["/bad"] }), when: [{ key: "request.nonsense", values: ["x"] }] },
        { ...to({ paths: ["/bad"] }), from: [{ source: { ipBlocks: ["no address"] } }] },
        { ...to({ paths: ["/bad"] }), when: [{ key: "request.auth.claims[a", values: ["x"] }] },
        to({ paths: ["/bad"], ports: ["eighty"] }),
      ];
      for (const rule of bad) {
        const deny = authorization("mixed", "DENY", good, rule);
        const allow = authorization("mixed", "ALLOW", good, rule);
        expect(translatePolicies(manifests("httpbin", deny))[0]?.report.accepted).toBe(false);
        for (const mode of MODES) {
          expect(await pathStatuses(mode, [deny], ["/good", "/bad"])).toEqual(all(403, ["/good", "/bad"]));
          expect(await pathStatuses(mode, [allow], ["/good", "/bad"])).toEqual({ "/good": 200, "/bad": 403 });
        }
      }
    },
  );

  securityTest(
    {
      id: "G03",
      severity: "H",
      source: "CVE-2026-53719",
      mode: BOTH,
      level: "policy",
      title: "null and absent parts of an object stop neither it nor its neighbours from being enforced",
      outcome: "the neighbours are enforced",
    },
    async () => {
      const specs = [
        "{ action: DENY, rules: [null] }",
        "{ action: DENY, rules: [{ from: [{}] }] }",
        "{ action: DENY, rules: [{ from: [null], to: [{ operation: null }] }] }",
        "{ action: DENY, rules: [{ to: [{ operation: { paths: null } }], when: [null] }] }",
        "{ action: ALLOW, rules: [{ when: null, from: null, to: null }] }",
        "{ selector: null, rules: null }",
        "null",
        "[]",
      ];
      const kinds = ["AuthorizationPolicy", "RequestAuthentication", "VirtualService"];
      for (const spec of [
        ...specs,
        "{ jwtRules: [null] }",
        "{ jwtRules: [{ fromHeaders: [null] }] }",
        "{ hosts: [null], http: [null] }",
      ]) {
        for (const kind of kinds) {
          const server = await serverWith("exact", DENY_ADMIN, raw(kind, "odd", spec));
          const [status = 0] = await statusesOf(server, [{ path: "/admin" }]);
          expect([kind, spec, status]).toEqual([kind, spec, 403]);
        }
      }
    },
  );

  securityTest(
    {
      id: "G18",
      severity: "H",
      source: "fields and values of newer versions",
      mode: BOTH,
      level: "policy",
      title: "an object with a field or a value that is not known is not enforced without it",
      outcome: "Accepted=False, fails closed",
    },
    async () => {
      const deny = "{ action: DENY, rules: [{ to: [{ operation: { paths: [/other], newField: [x] } }] }] }";
      const allow = "{ action: ALLOW, rules: [{ to: [{ operation: { paths: [/x], newField: [x] } }] }] }";
      const action = "{ action: CHALLENGE, rules: [{ to: [{ operation: { paths: [/x] } }] }] }";
      for (const spec of [deny, allow, action]) {
        const text = raw("AuthorizationPolicy", "newer", spec);
        expect([spec, translatePolicies(text)[0]?.report.accepted]).toEqual([spec, false]);
        for (const mode of MODES) {
          expect([spec, await statusesOf(await serverWith(mode, text), [{ path: "/x" }])]).toEqual([spec, [403]]);
        }
      }
    },
  );

  securityTest(
    {
      id: "G19",
      severity: "H",
      source: "YAML's types",
      mode: BOTH,
      level: "policy",
      title: "a value of another type is no value",
      outcome: "Accepted=False, fails closed",
    },
    async () => {
      const specs = [
        "{ action: ALLOW, rules: [{ to: [{ operation: { paths: /x } }] }] }",
        "{ action: ALLOW, rules: [{ to: [{ operation: { ports: [8080] } }] }] }",
        '{ action: ALLOW, rules: [{ when: [{ key: "request.headers[x]", values: [true, 1] }] }] }',
        "{ action: ALLOW, rules: { to: [] } }",
        "{ action: ALLOW, selector: { matchLabels: { app: 1 } }, rules: [{}] }",
      ];
      for (const spec of specs) {
        const text = raw("AuthorizationPolicy", "juggled", spec);
        expect([spec, translatePolicies(text)[0]?.report.accepted]).toEqual([spec, false]);
        const asks = [{ path: "/x", headers: [["x", "true"]] as const }];
        expect([spec, await statusesOf(await serverWith("exact", text), asks)]).toEqual([spec, [403]]);
      }
    },
  );
});

describe("whom a policy is for", () => {
  securityTest(
    {
      id: "G04",
      severity: "H",
      source: "CVE-2026-39350",
      mode: BOTH,
      level: "check",
      title: "a dot or a bracket in an identity is itself",
      outcome: "no match",
    },
    async () => {
      const rules = [
        { namespaces: ["a.b"] },
        { serviceAccounts: ["foo/a.b"] },
        { principals: ["cluster.local/ns/foo/sa/a.b"] },
        { principals: ["*/ns/foo/sa/a.b"] },
        { principals: ["cluster.local/ns/a.b*"] },
        { trustDomains: ["a.b"] },
        { trustDomains: ["*a.b"] },
      ];
      const axb = [
        "cluster.local/ns/axb/sa/d",
        "cluster.local/ns/foo/sa/axb",
        "axb/ns/foo/sa/d",
        "clusterxlocal/ns/foo/sa/a.b",
      ];
      for (const mode of MODES) {
        for (const source of rules) {
          const server = await serverWith(mode, authorization("dots", "ALLOW", from(source)));
          const statuses = await statusesOf(
            server,
            axb.slice(0, 3).map((peer) => ({ principal: `spiffe://${peer}` })),
          );
          expect([source, statuses]).toEqual([source, [403, 403, 403]]);
        }
        const exact = await serverWith(
          mode,
          authorization("dots", "ALLOW", from({ principals: ["cluster.local/ns/foo/sa/a.b"] })),
        );
        expect(
          await statusesOf(exact, [
            { principal: `spiffe://${axb[3]}` },
            { principal: "spiffe://cluster.local/ns/foo/sa/a.b" },
          ]),
        ).toEqual([403, 200]);
      }
    },
  );

  securityTest(
    {
      id: "G12",
      severity: "M",
      source: "ISTIO-SECURITY-2021-002",
      mode: BOTH,
      level: "check",
      title: "`ports` are the listener's port, whatever the Host header says",
      outcome: "deny by the port that Envoy reports",
    },
    async () => {
      const deny = authorization("deny-port", "DENY", to({ ports: ["9000"] }));
      for (const mode of MODES) {
        const asks = [
          { destinationPort: 9000 },
          { destinationPort: 9000, host: "a:80" },
          { destinationPort: 80, host: "a:9000" },
        ];
        expect(await statusesOf(await serverWith(mode, deny), asks)).toEqual([403, 403, 200]);
      }
    },
  );

  securityTest(
    {
      id: "G17",
      severity: "M",
      source: "selectors",
      mode: BOTH,
      level: "check",
      title: "a policy is for the workloads that it selects, and who can't say who it is gets nothing",
      outcome: "as Istio; deny without identity",
    },
    async () => {
      const deny = "action: DENY, rules: [{}]";
      const root = (spec: string) =>
        raw("AuthorizationPolicy", "root", spec).replace("namespace: foo", "namespace: istio-system");
      const statuses = async (policy: string) =>
        statusesOf(await serverWith("exact", policy), [{}, { labels: "app=other" }, { namespace: "bar" }]);
      expect(await statuses(raw("AuthorizationPolicy", "whole", `{ ${deny} }`))).toEqual([403, 403, 200]);
      expect(await statuses(raw("AuthorizationPolicy", "empty", `{ selector: {}, ${deny} }`))).toEqual([403, 403, 200]);
      expect(
        await statuses(raw("AuthorizationPolicy", "some", `{ selector: { matchLabels: { app: httpbin } }, ${deny} }`)),
      ).toEqual([403, 200, 200]);
      expect(await statuses(root(`{ ${deny} }`))).toEqual([403, 403, 403]);
      expect(await statuses(root(`{ selector: { matchLabels: { app: httpbin } }, ${deny} }`))).toEqual([403, 200, 403]);
      const targetRefs = "targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: g }]";
      expect(await statuses(raw("AuthorizationPolicy", "refs", `{ ${targetRefs}, ${deny} }`))).toEqual([200, 200, 200]);
      const open = await serverWith("exact");
      const odd = [
        { namespace: "" },
        { namespace: "Foo" },
        { namespace: "foo/bar" },
        { namespace: "__proto__" },
        { labels: "app" },
        { labels: "=x" },
        { gateways: "nonsense" },
      ];
      expect(await statusesOf(open, odd)).toEqual(odd.map(() => 403));
    },
  );
});

describe("regular expressions", () => {
  securityTest(
    {
      id: "G05",
      severity: "H",
      source: "RE2 against JavaScript",
      mode: BOTH,
      level: "check",
      title: "an expression means what RE2 makes of it",
      outcome: "RE2's meaning",
    },
    async () => {
      expect(await matching("(?i)admin", ["ADMIN", "admin", "xadmin"])).toEqual(["ADMIN", "admin"]);
      expect(await matching("\\pL+", ["abc", "pL", "1"])).toEqual(["abc", "pL"]);
      expect(await matching("[[:alpha:]]+", ["abc", ":a]", "1"])).toEqual(["abc"]);
      expect(await matching("\\Aadmin\\z", ["admin", "Aadminz"])).toEqual(["admin"]);
      expect(await matching("(?P<n>x)", ["x", "n"])).toEqual(["x"]);
      expect(await matching("\\Q.\\E", [".", "Q.E", "a"])).toEqual(["."]);
      expect(await matching("(?s).+", ["a", ""])).toEqual(["a"]);
    },
  );

  securityTest(
    {
      id: "G06",
      severity: "M",
      source: "RE2 against JavaScript",
      mode: BOTH,
      level: "policy",
      title: "what is no RE2 is refused and matches nothing",
      outcome: "Accepted=False, no route",
    },
    async () => {
      for (const regex of ["(?<=a)b", "(a)\\1", "(?!x)", "a{1001}", "\\C", "a**", "(", "[z-a]"]) {
        expect([regex, translatePolicies(regexRoute(regex))[0]?.report.accepted]).toEqual([regex, false]);
        expect([regex, await matching(regex, ["b", "aa", "", "a", "x"])]).toEqual([regex, []]);
      }
    },
  );

  securityTest(
    {
      id: "G07",
      severity: "H",
      source: "CVE-2026-35041",
      mode: BOTH,
      level: "check",
      title: "no expression takes exponential time",
      outcome: "an answer at once",
    },
    async () => {
      const startedMs = performance.now();
      expect(await matching("(a+)+$", [`${"a".repeat(100_000)}!`])).toEqual([]);
      expect(await matching("(.*)*=.*", ["a".repeat(100_000)])).toEqual([]);
      expect(await matching("(a|a)*b", ["a".repeat(100_000)])).toEqual([]);
      // 26 characters took JavaScript's own engine 3 s; a hundred thousand would take for ever.
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    },
  );

  securityTest(
    {
      id: "G08",
      severity: "M",
      source: "CVE-2026-35040",
      mode: BOTH,
      level: "check",
      title: "an expression answers the same each time",
      outcome: "no state",
    },
    async () => {
      expect(await matching("a+", ["aa", "aa", "aa"])).toEqual(["aa", "aa", "aa"]);
      const template = authorization("tpl", "DENY", to({ paths: ["/v1/{*}/secret"] }));
      const server = await serverWith("exact", template);
      const ask = { path: "/v1/a/secret" };
      expect(await statusesOf(server, [ask, ask, ask])).toEqual([403, 403, 403]);
    },
  );

  securityTest(
    {
      id: "G09",
      severity: "H",
      source: "full and partial match",
      mode: BOTH,
      level: "check",
      title: "an expression is about the whole text",
      outcome: "full match",
    },
    async () => {
      expect(await matching("admin", ["xadminx", "admin", "adminx", "xadmin"])).toEqual(["admin"]);
      expect(await matching("admin|user", ["admin2", "user", "superuser"])).toEqual(["user"]);
    },
  );

  securityTest(
    {
      id: "G10",
      severity: "M",
      source: "RE2 against JavaScript",
      mode: BOTH,
      level: "check",
      title: "a dot stands for every character but a newline, as in RE2",
      outcome: "RE2's meaning",
    },
    async () => {
      const texts = ["a\rb", "a\nb", "a\u2028b"];
      const routes = virtualService("claims", [
        { match: [{ headers: { "@request.auth.claims.c": { regex: ".+" } } }], directResponse: { status: 204 } },
      ]);
      const server = await serverWith("exact", RA1, routes);
      const tokens = await Promise.all(texts.map((c) => mintTestToken({ c })));
      expect(
        await statusesOf(
          server,
          tokens.map((token) => ({ token, gateways: GATEWAY })),
        ),
      ).toEqual([204, 404, 204]);
      const any = await serverWith("exact", RA1, ANYJWT);
      const subjects = await Promise.all(texts.map((sub) => mintTestToken({ sub })));
      expect(
        await statusesOf(
          any,
          subjects.map((token) => ({ token })),
        ),
      ).toEqual([200, 403, 200]);
    },
  );

  securityTest(
    {
      id: "G11",
      severity: "H",
      source: "ISTIO-SECURITY-2026-006, CVE-2022-39278",
      mode: BOTH,
      level: "policy",
      title: "an expression of a megabyte, or one that grows to one, is refused before it is compiled",
      outcome: "Accepted=False, no route",
    },
    async () => {
      const startedMs = performance.now();
      for (const regex of [
        "a".repeat(1_000_000),
        "((a{1,100}){1,100}){1,100}",
        `${"(".repeat(5_000)}a${")".repeat(5_000)}`,
      ]) {
        expect([regex.slice(0, 30), translatePolicies(regexRoute(regex))[0]?.report.accepted]).toEqual([
          regex.slice(0, 30),
          false,
        ]);
        expect(await matching(regex, ["a"])).toEqual([]);
      }
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    },
  );
});

describe("claims in routes", () => {
  securityTest(
    {
      id: "G15",
      severity: "M",
      source: "claim keys of a VirtualService",
      mode: BOTH,
      level: "policy",
      title: "a claim key is one in any case, and a malformed one never becomes the name of a header",
      outcome: "claims only",
    },
    async () => {
      const token = await mintTestToken({ groups: "group1" });
      const status = async (key: string): Promise<readonly number[]> => {
        const routes = virtualService("claims", [
          { match: [{ headers: { [key]: { exact: "group1" } } }], directResponse: { status: 204 } },
        ]);
        const server = await serverWith("exact", RA1, routes);
        const sent = { headers: [[key.toLowerCase(), "group1"]] as const, gateways: GATEWAY };
        return statusesOf(server, [{ token, gateways: GATEWAY }, sent]);
      };
      expect(await status("@Request.Auth.Claims.groups")).toEqual([204, 404]);
      expect(await status("@request.auth.claims[groups]")).toEqual([204, 404]);
      for (const key of [
        "@request.auth.claims.",
        "@request.auth.claims[a",
        "@request.auth.claims",
        "@request.auth.claims[]",
      ]) {
        expect([key, await status(key)]).toEqual([key, [404, 404]]);
      }
    },
  );

  describe("through Envoy", () => {
    let stack: SecurityStack;
    beforeAll(async () => {
      const policies: readonly (Fixture | string)[] = [VS1, requestAuthentication("gw")];
      stack = await startSecurityStack({ mode: "exact", apps: { gateway: policies }, gateways: ["gateway"] });
    });
    afterAll(() => stack?.stop());

    securityTest(
      {
        id: "G14",
        severity: "H",
        source: "routing by claims",
        mode: ["exact"],
        level: "envoy",
        title: "a route by a claim is for tokens with that claim alone",
        outcome: "404 without, 401 with a bad token",
      },
      async () => {
        const group1 = await mintTestToken({ groups: ["group1"] });
        const group2 = await mintTestToken({ groups: ["group2"] });
        const spoofed = [
          ["x-gatehouse-route", "foo/vs1/0"],
          ["@request.auth.claims.groups", "group1"],
        ] as const;
        expect((await stack.send("gateway", {})).status).toBe(404);
        expect((await stack.send("gateway", { token: "bad" })).status).toBe(401);
        expect((await stack.send("gateway", { token: group2 })).status).toBe(404);
        expect((await stack.send("gateway", { token: group1 })).status).toBe(200);
        expect((await stack.send("gateway", { token: group1, path: "/other" })).status).toBe(404);
        for (const line of spoofed)
          expect([400, 404]).toContain((await stack.send("gateway", { headers: [line] })).status);
      },
    );

    securityTest(
      {
        id: "G14",
        severity: "H",
        source: "state of a connection",
        mode: ["exact"],
        level: "envoy",
        title: "a token counts for its own request, not for the next one on the connection",
        outcome: "404 without a token",
      },
      async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const authorization = `Bearer ${await mintTestToken({ groups: ["group1"] })}`;
        const port = stack.envoy.listenerPort("gateway");
        const first = await get(agent, port, { authorization });
        const second = await get(agent, port, {});
        const third = await get(agent, port, { authorization });
        agent.destroy();
        expect([first.status, second.status, third.status]).toEqual([200, 404, 200]);
        expect(new Set([first.localPort, second.localPort, third.localPort]).size).toBe(1);
      },
    );
  });
});

interface Got {
  readonly status: number;
  readonly localPort: number;
}

function get(agent: Agent, port: number, headers: Readonly<Record<string, string>>): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, host: "127.0.0.1", path: "/headers", headers }, (response) => {
      const got = { status: response.statusCode ?? 0, localPort: response.socket.localPort ?? 0 };
      response.resume().once("end", () => resolve(got));
    });
    call.once("error", reject).end();
  });
}

describe("many policies", () => {
  securityTest(
    {
      id: "G20",
      severity: "M",
      source: "worst case of evaluation",
      mode: BOTH,
      level: "check",
      title:
        "ten thousand rules cost a request nothing if they are others', and little if all of them have to be asked",
      outcome: "an answer at once",
    },
    async () => {
      const rules = (i: number) =>
        [0, 1, 2, 3, 4].map((j) => `{ to: [{ operation: { paths: [/p${i}-${j}] } }] }`).join();
      const policies = Array.from({ length: 2_000 }, (_, i) => {
        const app = i < 1_000 ? "httpbin" : "other";
        return raw(
          "AuthorizationPolicy",
          `p${i}`,
          `{ selector: { matchLabels: { app: ${app} } }, action: DENY, rules: [${rules(i)}] }`,
        );
      });
      const server = await createCheckHarness({ policies: policies.join("---\n") });
      expect(await statusesOf(server, [{ path: "/p999-4" }, { path: "/p1000-0" }, { path: "/other" }])).toEqual([
        403, 200, 200,
      ]);
      const startedMs = performance.now();
      for (let i = 0; i < 100; i++) await server.check({ path: "/other" });
      // A millisecond each; five would still pass on a machine that is busy elsewhere.
      expect(performance.now() - startedMs).toBeLessThan(1_500);
    },
    60_000,
  );
});
