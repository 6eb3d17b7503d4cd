import { describe, expect } from "vitest";
import { publicJwks } from "../support/jwt.ts";
import { CLAIM_GATEWAY } from "./fixtures/claim-gateway.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, DENY_ALL, forge, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("check");

describe("answers that clients see", () => {
  securityTest(
    attack("H13", "M", {
      source: "CVE-2024-34364",
      title: "bodies and headers of denials that grow with the request, or repeat it",
      outcome: "fixed bodies under 1 KB; only the challenge names the URL, cut, without its query",
    }),
    async () => {
      const canary = "canary";
      const long = canary.repeat(2_000);
      const harness = await serverAtNow(requestAuthentication(publicJwks()) + DENY_ALL);
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
      const harness = await serverAtNow(requestAuthentication(publicJwks()) + ANYJWT);
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
      const harness = await serverAtNow(DENY_ALL);
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
      const harness = await serverAtNow(requestAuthentication(publicJwks()) + ANYJWT);
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
      const harness = await serverAtNow(CLAIM_GATEWAY + ANYJWT);
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
