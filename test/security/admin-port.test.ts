import { describe, expect, onTestFinished } from "vitest";
import { getVerbatim as get, startTestAdmin } from "../support/admin.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("unit");

describe("the admin port", () => {
  securityTest(
    attack("K06", "H", {
      source: "CVE-2022-39388, CVE-2026-31838",
      title: "debug pages on the admin port",
      outcome: "there are none; what is served holds no key, token or claim",
    }),
    async () => {
      const gatehouse = await startGatehouse({
        policies: requestAuthentication(publicJwks("rsa-2048", "oct-512")) + ANYJWT,
      });
      onTestFinished(() => gatehouse.stop());
      const admin = await startAdminPort(() => gatehouse.metrics());
      for (const path of [
        "/debug/snapshot",
        "/debug/pprof",
        "/config_dump",
        "/",
        "/snapshot",
        "/quitquitquit",
        "/keys",
      ]) {
        expect((await get(admin, path)).status, path).toBe(404);
      }
      const pages = await Promise.all(["/metrics", "/readyz?verbose", "/healthz"].map((path) => get(admin, path)));
      const shown = pages.map(({ body }) => body).join("") + gatehouse.log().join("");
      const secret: { readonly keys: readonly { readonly k?: string; readonly n?: string }[] } = JSON.parse(
        publicJwks("rsa-2048", "oct-512"),
      );
      for (const text of [...secret.keys.flatMap(({ k, n }) => [k ?? n ?? ""]), TEST_ISSUER]) {
        expect(text.length).toBeGreaterThan(10);
        expect(shown.includes(text)).toBe(false);
      }
    },
  );

  securityTest(
    attack("K07", "M", {
      source: "CVE-2025-24030, CVE-2026-73546",
      title: "odd paths and HTML at the admin port",
      outcome: "exact paths, plain text, nothing of the request repeated",
    }),
    async () => {
      const admin = await startAdminPort(() => Promise.resolve(""));
      const paths = [
        "/metrics/../debug",
        "/metrics/",
        "//metrics",
        "/metrics%2f",
        "/METRICS",
        "/metrics;x",
        "/healthz/x",
        "/%6detrics",
      ];
      for (const path of paths) {
        expect(await get(admin, path), path).toMatchObject({ status: 404, body: "not found\n" });
      }
      const reflected = await get(admin, "/<script>alert(1)</script>");
      expect(reflected.body).not.toContain("script");
      expect(reflected.contentType).toMatch(/^text\/plain/);
      expect((await get(admin, "/metrics?<script>")).contentType).toMatch(/^text\/plain/);
    },
  );
});

async function startAdminPort(metrics: () => Promise<string>): Promise<string> {
  const admin = await startTestAdmin(metrics);
  onTestFinished(() => admin.stop());
  return admin.url;
}
