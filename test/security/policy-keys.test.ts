import { describe, expect } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { publicJwks } from "../support/jwt.ts";
import { createPolicyReceiver, held } from "../support/policy-receiver.ts";
import { MESH } from "./fixtures/policy-servers.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("check");

describe("the keys of a policy", () => {
  securityTest(
    attack("K08", "H", {
      source: "CVE-2021-34824",
      title: "keys and policies of another namespace",
      outcome: "each workload has its own namespace's and the root's, with no shared verdict",
    }),
    async () => {
      const policies = requestAuthentication(publicJwks()) + ANYJWT;
      const harness = await serverAtNow(policies);
      const token = forge();
      expect((await harness.check({ token })).status).toBe(200);
      // In bar nobody trusts the issuer: the token of foo, verified a moment ago, is nothing there.
      expect(await harness.check({ token, namespace: "bar" })).toMatchObject({ status: 200, removed: [] });
      await harness.apply(policies + ANYJWT.replace("namespace: foo", "namespace: bar"));
      expect((await harness.check({ token })).status).toBe(200);
      expect((await harness.check({ token, namespace: "bar" })).status).toBe(403);
      const other = requestAuthentication(publicJwks("rsa-3072")).replace("namespace: foo", "namespace: bar");
      await harness.apply(policies + other);
      expect((await harness.check({ token, namespace: "bar" })).status).toBe(401);
    },
  );

  securityTest(
    attack("K12", "H", {
      source: "CVE-2020-8664",
      title: "a policy whose keys have not arrived yet",
      outcome: "tokens of that issuer get 401; requests without token follow policy",
    }),
    async () => {
      const remote = requestAuthentication("").replace("jwks: ''", "jwksUri: https://keys.example.com/jwks");
      expect(remote).toContain("jwksUri");
      const open = await serverAtNow(remote);
      for (const key of ["rsa-2048", "rogue-rsa-2048"] as const) {
        expect(await open.check({ token: forge({ key }) })).toMatchObject({
          status: 401,
          body: "Jwt verification fails",
        });
      }
      expect((await open.check()).status).toBe(200);
      const guarded = await serverAtNow(remote + ANYJWT);
      expect((await guarded.check()).status).toBe(403);
      // The resource of the keys missing altogether is the same.
      const receiver = createPolicyReceiver(() => NOW_SEC * 1000);
      const resources = translatePolicies(requestAuthentication(publicJwks())).flatMap((one) => one.resources);
      const withoutKeys = resources.filter(({ kind }) => kind !== "KeySet").map((resource) => held(resource));
      await receiver.apply({ setVersion: "1", upserts: [held(MESH), ...withoutKeys], removed: [] });
      expect((await receiver.check({ token: forge() }))?.status).toBe(401);
    },
  );
});
