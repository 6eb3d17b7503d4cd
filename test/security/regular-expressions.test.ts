import { describe, expect } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { mintTestToken } from "../support/jwt.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { ANYJWT, authorization, GATEWAY, RA1, to, virtualService } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

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

describe("regular expressions", () => {
  securityTest(
    attack("G05", "H", {
      source: "RE2 against JavaScript",
      title: "an expression means what RE2 makes of it",
      outcome: "RE2's meaning",
    }),
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
    attack("G06", "M", {
      level: "policy",
      source: "RE2 against JavaScript",
      title: "what is no RE2 is refused and matches nothing",
      outcome: "Accepted=False, no route",
    }),
    async () => {
      for (const regex of ["(?<=a)b", "(a)\\1", "(?!x)", "a{1001}", "\\C", "a**", "(", "[z-a]"]) {
        expect([regex, translatePolicies(regexRoute(regex))[0]?.report.accepted]).toEqual([regex, false]);
        expect([regex, await matching(regex, ["b", "aa", "", "a", "x"])]).toEqual([regex, []]);
      }
    },
  );

  securityTest(
    attack("G07", "H", {
      source: "CVE-2026-35041",
      title: "no expression takes exponential time",
      outcome: "an answer at once",
    }),
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
    attack("G07", "H", {
      source: "linear, and large",
      title: "large expressions by the hundred, and a long value that nearly matches each",
      outcome: "500 within a second; others are answered",
    }),
    async () => {
      const routes = Array.from({ length: 100 }, (_, i) => ({
        match: [{ headers: { x: { regex: `(a?){1000}b{${i}}c` } } }],
        directResponse: { status: 204 },
      }));
      const server = await serverWith("exact", virtualService("regex", routes));
      const ask = (x: string) => ({ headers: [["x", x]] as const, gateways: GATEWAY });
      const before = process.cpuUsage();
      expect(await statusesOf(server, [ask(`${"a".repeat(8_000)}!`)])).toEqual([500]);
      const { user, system } = process.cpuUsage(before);
      // All hundred took half a minute.
      expect((user + system) / 1e6).toBeLessThan(5);
      expect(await statusesOf(server, [ask("abbc"), ask("abb")])).toEqual([204, 404]);
    },
  );

  securityTest(
    attack("G08", "M", {
      source: "CVE-2026-35040",
      title: "an expression answers the same each time",
      outcome: "no state",
    }),
    async () => {
      expect(await matching("a+", ["aa", "aa", "aa"])).toEqual(["aa", "aa", "aa"]);
      const template = authorization("tpl", "DENY", to({ paths: ["/v1/{*}/secret"] }));
      const server = await serverWith("exact", template);
      const ask = { path: "/v1/a/secret" };
      expect(await statusesOf(server, [ask, ask, ask])).toEqual([403, 403, 403]);
    },
  );

  securityTest(
    attack("G09", "H", {
      source: "full and partial match",
      title: "an expression is about the whole text",
      outcome: "full match",
    }),
    async () => {
      expect(await matching("admin", ["xadminx", "admin", "adminx", "xadmin"])).toEqual(["admin"]);
      expect(await matching("admin|user", ["admin2", "user", "superuser"])).toEqual(["user"]);
    },
  );

  securityTest(
    attack("G10", "M", {
      source: "RE2 against JavaScript",
      title: "a dot stands for every character but a newline, as in RE2",
      outcome: "RE2's meaning",
    }),
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
    attack("G11", "H", {
      level: "policy",
      source: "ISTIO-SECURITY-2026-006, CVE-2022-39278",
      title: "an expression of a megabyte, or one that grows to one, is refused before it is compiled",
      outcome: "Accepted=False, no route",
    }),
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
      // A short object with a thousand of them took a controller, and each server, 3 s.
      const routes = Array.from({ length: 1000 }, (_, i) => ({
        match: [{ headers: { x: { regex: `${i}x{1000}` } } }],
        directResponse: { status: 204 },
      }));
      const thousand = virtualService("regex", routes);
      const report = translatePolicies(thousand)[0]?.report;
      expect([report?.accepted, report?.diagnostics[0]?.path]).toEqual([false, "spec.http[130].match[0].headers[x]"]);
      const server = await serverWith("exact", thousand);
      const asks = ["129", "130"].map((i) => ({
        headers: [["x", `${i}${"x".repeat(1000)}`]] as const,
        gateways: GATEWAY,
      }));
      expect(await statusesOf(server, asks)).toEqual([204, 404]);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    },
  );
});
