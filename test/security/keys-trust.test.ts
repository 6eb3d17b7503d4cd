import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createKeyFetcher, type FetcherOptions } from "@gatehouse/controller/jwks";
import { afterEach, describe, expect } from "vitest";
import { connectCheckClient } from "../support/check-client.ts";
import { createCheckHarness } from "../support/check-harness.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { startKeyIssuer } from "../support/key-issuer.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, forgeHmac, requestAuthentication } from "./token-forge.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop();
  running = [];
});

const attack = attacksAt("check");

describe("who is trusted", () => {
  securityTest(
    attack("I01", "C", {
      source: "CVE-2026-31837",
      title: "tokens of any key while the issuer's keys were never fetched",
      outcome: "401; no key stands in the code; requests without a token follow policy",
    }),
    async () => {
      const issuer = await startKeyIssuer();
      running.push(issuer);
      const jwksUri = `${issuer.origin}/keys`;
      const policies = requestAuthentication("").replace(/jwks: .*/, `jwksUri: ${jwksUri}`);
      expect(policies).toContain(jwksUri);
      const gatehouse = await startGatehouse({ policies });
      running.push(gatehouse);
      const client = connectCheckClient(gatehouse.checkPort);
      running.push(client);
      const tokens = [
        await mintTestToken({}, { key: "rogue-rsa-2048" }),
        await mintTestToken({}, { key: "rsa-2048", kid: null }),
        await mintTestToken({}, { key: "ec-p256", alg: "ES256" }),
        forgeHmac("", {}),
        forgeHmac("0".repeat(64), {}),
      ];
      for (const token of tokens) expect((await client.check({ token })).status).toBe(401);
      expect((await client.check()).status).toBe(200);
      await gatehouse.apply(`${policies}\n---\n${ANYJWT}`);
      expect((await client.check()).status).toBe(403);
      // 2048 bits in base64url, or a PEM block.
      const keys = sources().filter((path) =>
        /[\w-]{340}|BEGIN [A-Z ]*(KEY|CERTIFICATE)-----(\s|\\[rn])*[\w+/]{16}/.test(readFileSync(path, "utf8")),
      );
      expect(keys).toEqual([]);
    },
  );

  securityTest(
    attack("I18", "M", {
      source: "parity",
      title: "two keys of one kid",
      outcome: "both are tried",
    }),
    async () => {
      const keys = JSON.parse(publicJwks("rsa-2048", "rsa-3072")).keys.map((key: object) => ({ ...key, kid: "same" }));
      const harness = await createCheckHarness({ policies: requestAuthentication(JSON.stringify({ keys })) });
      running.push(harness);
      for (const key of ["rsa-2048", "rsa-3072"] as const) {
        const token = await mintTestToken({}, { key, kid: "same" });
        expect((await harness.check({ token })).status, key).toBe(200);
      }
      const rogue = await mintTestToken({}, { key: "rogue-rsa-2048", kid: "same" });
      expect((await harness.check({ token: rogue })).status).toBe(401);
    },
  );

  securityTest(
    attack("I20", "M", {
      level: "unit",
      source: "Node's environment",
      title: "NODE_TLS_REJECT_UNAUTHORIZED=0, HTTP_PROXY and the like in the environment",
      outcome: "the first is refused at start; a proxy is used only if the setting names it",
    }),
    async () => {
      const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
      const args = [join(ROOT, "cli/bin/gatehouse.js"), "standalone", "--resources", ROOT];
      const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
      expect([status, stderr]).toEqual([2, expect.stringContaining("NODE_TLS_REJECT_UNAUTHORIZED")]);

      const issuer = await startKeyIssuer({ certificate: "server" });
      running.push(issuer);
      issuer.say(publicJwks("rsa-2048"));
      const fetch = (options: Partial<FetcherOptions>) =>
        createKeyFetcher({
          allowLoopback: true,
          allowedHosts: [],
          blockedCidrs: [],
          extraCa: "",
          proxy: null,
          ...options,
        })(
          { keySet: "remote-test", issuer: TEST_ISSUER, uri: issuer.origin, timeoutMs: 5000 },
          new AbortController().signal,
        );
      const extraCa = readFileSync(new URL("../support/tls/ca.pem", import.meta.url), "utf8");
      const changed = {
        NODE_TLS_REJECT_UNAUTHORIZED: "0",
        HTTPS_PROXY: "http://127.0.0.1:1",
        ALL_PROXY: "http://127.0.0.1:1",
      };
      const before = { ...process.env };
      Object.assign(process.env, changed);
      try {
        expect(await fetch({})).toMatchObject({ kind: "failure", class: "tls" });
        expect(await fetch({ extraCa })).toMatchObject({ kind: "keys" });
        const proxy = await startProxy();
        expect(await fetch({ extraCa, proxy: proxy.origin })).toMatchObject({ kind: "keys" });
        expect(proxy.connected).toEqual([issuer.origin.replace("https://", "")]);
        expect(await fetch({ proxy: proxy.origin })).toMatchObject({ kind: "failure", class: "tls" });
      } finally {
        for (const name of Object.keys(changed)) delete process.env[name];
        Object.assign(process.env, before);
      }
    },
  );
});

function sources(): readonly string[] {
  return ["protos", "controller", "authz-server", "cli"].flatMap((name) =>
    readdirSync(join(ROOT, name, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.includes("testdata"))
      .map((path) => join(ROOT, name, "src", path)),
  );
}

/** A forward proxy that connects to whatever it is told. */
async function startProxy(): Promise<{ readonly origin: string; readonly connected: readonly string[] }> {
  const connected: string[] = [];
  const server = createServer();
  server.on("connect", (request, socket) => {
    const target = request.url ?? "";
    connected.push(target);
    const upstream = connect(Number(target.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on("error", () => end.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push({
    stop() {
      server.close();
      server.closeAllConnections();
    },
  });
  const { port }: AddressInfo = JSON.parse(JSON.stringify(server.address()));
  return { origin: `http://127.0.0.1:${port}`, connected };
}
