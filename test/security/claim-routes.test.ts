import { Agent, request } from "node:http";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { mintTestToken } from "../support/jwt.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { GATEWAY, RA1, requestAuthentication, VS1, virtualService } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("envoy", ["exact"]);

describe("claims in routes", () => {
  securityTest(
    attack("G15", "M", {
      level: "policy",
      mode: SERVER_MODES,
      source: "claim keys of a VirtualService",
      title: "a claim key is one in any case, and a malformed one never becomes the name of a header",
      outcome: "claims only",
    }),
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
      const apps = { gateway: [VS1, requestAuthentication("gw")] };
      stack = await startSecurityStack({ mode: "exact", apps, gateways: ["gateway"] });
    });
    afterAll(() => stack?.stop());

    securityTest(
      attack("G14", "H", {
        source: "routing by claims",
        title: "a route by a claim is for tokens with that claim alone",
        outcome: "404 without, 401 with a bad token",
      }),
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
      attack("G14", "H", {
        source: "state of a connection",
        title: "a token counts for its own request, not for the next one on the connection",
        outcome: "404 without a token",
      }),
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
