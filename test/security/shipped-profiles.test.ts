import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { parse } from "yaml";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap, type EnvoyProfile, profileFile } from "../support/envoy-config.ts";
import { sendRaw } from "../support/raw-http.ts";
import { type ScriptedAuthz, startScriptedAuthz } from "../support/scripted-authz.ts";
import { CLAIM_GATEWAY } from "./fixtures/claim-gateway.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { forge } from "./token-forge.ts";

const attack = attacksAt("check");

describe("the route cache of the shipped profiles", () => {
  securityTest(
    attack("H11", "H", {
      source: "ext_authz without clear_route_cache",
      title: "a claim route that Envoy would not look at again",
      outcome: "every profile clears the route cache; the answer always sets the header that routes",
    }),
    async () => {
      expectInEveryProfile("clear_route_cache", true);
      const harness = await serverAtNow(CLAIM_GATEWAY);
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
      expectInEveryProfile("failure_mode_allow", false);
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

/** The one filter of each profile that asks the server has this setting. */
function expectInEveryProfile(setting: string, value: boolean): void {
  for (const { name, checks } of shippedFilters()) {
    expect([name, checks.map((check) => check[setting])]).toEqual([name, [value]]);
  }
}

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
