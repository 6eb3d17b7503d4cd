import { afterAll, beforeAll, describe, expect } from "vitest";
import { expectRefused, type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { DENY_HOST } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("envoy", ["exact"]);

describe("hosts of a request through Envoy", () => {
  let exact: SecurityStack;
  let hardened: SecurityStack;
  beforeAll(async () => {
    exact = await startSecurityStack({ mode: "exact", apps: { host: [DENY_HOST] } });
    hardened = await startSecurityStack({ mode: "hardened", apps: { host: [DENY_HOST] } });
  });
  afterAll(async () => {
    await exact?.stop();
    await hardened?.stop();
  });

  securityTest(
    attack("B01", "C", { source: "CVE-2021-39155", title: "a host is the same in any case", outcome: "deny" }),
    async () => {
      for (const authority of ["Secret.com", "SECRET.COM"]) {
        expectRefused(await exact.send("host", { authority }), 403, authority);
      }
    },
  );

  securityTest(
    attack("B03", "H", {
      mode: ["hardened"],
      source: "ports and trailing dots",
      title: "neither port nor final dot hides a host",
      outcome: "deny",
    }),
    async () => {
      for (const authority of ["Secret.com", "secret.com:8080", "secret.com.", "secret.com.:80", "secret.com:"]) {
        const answer = await hardened.send("host", { authority });
        expect([authority, answer.received.length]).toEqual([authority, 0]);
        expect([400, 403]).toContain(answer.status);
      }
      expect((await hardened.send("host", { authority: "other.com:8080" })).status).toBe(200);
    },
  );

  securityTest(
    attack("B08", "M", {
      mode: ["exact", "hardened"],
      source: "several hosts",
      title: "a request with two hosts, or none, or a host that is none, does not pass as another host's",
      outcome: "400 by Envoy, or the host as it stands",
    }),
    async () => {
      for (const stack of [exact, hardened]) {
        for (const hosts of [
          "Host: ok.com\r\nHost: secret.com",
          "Host: secret.com\r\nHost: ok.com",
          "Host: a b",
          "Host: \x01",
          "",
        ]) {
          const lines = hosts === "" ? "" : `${hosts}\r\n`;
          const answer = await stack.sendBytes("host", `GET / HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
          expect([hosts, answer.received.filter(({ authority }) => /^secret\.com$/i.test(authority))]).toEqual([
            hosts,
            [],
          ]);
          // Two lines are one value to Envoy, which is nobody's host.
          const passed = answer.received.map(({ authority }) => authority);
          expect([hosts, passed.every((authority) => authority.includes(","))]).toEqual([hosts, true]);
        }
      }
    },
  );
});
