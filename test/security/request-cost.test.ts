import { generateKeyPairSync } from "node:crypto";
import { Client, credentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";
import { TRANSPORTS } from "../support/check-server.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { field } from "../support/proto-bytes.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const attack = attacksAt("check");

describe.each(TRANSPORTS)("%s", (transport) => {
  securityTest(
    attack("J07", "H", {
      source: "CVE-2026-44289",
      title: "a CheckRequest whose metadata is nested 10,000 deep",
      outcome: "not allowed, and no stack overflows",
    }),
    async () => {
      const gatehouse = await startGatehouse({ transport });
      cleanUps.push(() => gatehouse.stop());
      const client = new Client(`127.0.0.1:${gatehouse.checkPort}`, credentials.createInsecure());
      cleanUps.push(() => client.close());
      const code = await new Promise<number>((resolve) => {
        const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
        const path = "/envoy.service.auth.v3.Authorization/Check";
        client.makeUnaryRequest(path, identity, identity, nestedStruct(10_000), (error) => resolve(error?.code ?? 0));
      });
      expect(code).toBe(status.INVALID_ARGUMENT);
    },
  );
});

securityTest(
  attack("J12", "H", {
    source: "CPU",
    title: "tokens without key id against a set of twenty keys",
    outcome: "at most 16 keys are tried",
    level: "token",
  }),
  async () => {
    const pairs = Array.from({ length: 20 }, () => generateKeyPairSync("ec", { namedCurve: "P-256" }));
    const jwks = JSON.stringify({ keys: pairs.map(({ publicKey }) => publicKey.export({ format: "jwk" })) });
    const harness = await createCheckHarness({
      policies: requestAuthentication(jwks) + ANYJWT,
      nowMs: () => NOW_SEC * 1000,
    });
    const statusOf = async (at: number): Promise<number> => {
      const key = pairs[at]?.privateKey;
      if (key === undefined) throw new Error(`no key ${at}`);
      return (await harness.check({ token: forge({ key, alg: "ES256", header: { alg: "ES256" } }) })).status;
    };
    expect([await statusOf(0), await statusOf(15), await statusOf(16), await statusOf(19)]).toEqual([
      200, 200, 401, 401,
    ]);
  },
);

securityTest(
  attack("J13", "M", {
    source: "CVE-2026-47774, CVE-2026-73550",
    title: "60 KB of cookies, with and without a rule that reads them",
    outcome: "answered in linear time",
  }),
  async () => {
    const cookies = (kb: number): readonly (readonly [string, string])[] => [
      ["cookie", Array.from({ length: kb * 100 }, (_, i) => `c${String(i).padStart(4, "0")}=v`).join("; ")],
    ];
    for (const more of ["", "      fromCookies: [auth]\n"]) {
      const harness = await createCheckHarness({
        policies: requestAuthentication(JSON.stringify({ keys: [] }), more),
        nowMs: () => NOW_SEC * 1000,
      });
      const msFor = async (kb: number): Promise<number> => {
        const startedMs = performance.now();
        for (let round = 0; round < 20; round += 1) {
          expect((await harness.check({ headers: cookies(kb) })).status).toBe(200);
        }
        return performance.now() - startedMs;
      };
      await msFor(60);
      // Quadratic time would be a hundred times more, and seconds.
      expect(await msFor(60)).toBeLessThan(2000);
    }
  },
);

/** A CheckRequest whose metadata_context nests structs that deep: Value.struct_value (5) of Struct.fields (1) of ... */
function nestedStruct(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth && value.length < 900_000; level += 1) {
    value = field(2, field(5, field(1, value)));
  }
  return field(1, field(11, field(1, value)));
}
