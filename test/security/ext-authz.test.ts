import { describe, expect } from "vitest";
import { encodeCheck, readAnswer } from "../support/check-harness.ts";
import { encodeAsDecision, startTestCheckServer } from "../support/check-server.ts";
import { publicJwks } from "../support/jwt.ts";
import { field, rawCheckRequest } from "../support/proto-bytes.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, authorizationPolicy, DENY_ALL, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("check");

describe("the answer as bytes", () => {
  const denial = {
    kind: "respond",
    status: 403,
    headers: [{ name: "www-authenticate", value: "Bearer" }],
    body: "RBAC: access denied",
    reason: "deny_policy",
    ref: null,
  };

  securityTest(
    attack("H01", "C", {
      level: "unit",
      source: "an empty CheckResponse is allow in Envoy",
      title: "a denial with a member dropped, renamed or of another type",
      outcome: "refused by the encoder, or a code other than 0",
    }),
    () => {
      const values = [
        undefined,
        null,
        0,
        -1,
        1.5,
        Number.NaN,
        "",
        "403",
        "PERMISSION_DENIED",
        {},
        [],
        true,
        [{}],
        [null],
      ];
      const mutants: unknown[] = [undefined, null, {}, [], "deny", 7, { status: { code: 7 } }];
      for (const name of Object.keys(denial)) {
        const { [name]: old, ...rest } = denial as Readonly<Record<string, unknown>>;
        mutants.push(rest, { ...rest, [`${name}s`]: old }, { ...rest, [name.toUpperCase()]: old });
        mutants.push(...values.map((value) => ({ ...rest, [name]: value })));
      }
      for (const header of [{ name: "a" }, { value: "b" }, { name: 1, value: 2 }, { name: "a\r\nb", value: "" }]) {
        mutants.push({ ...denial, headers: [header] });
      }
      const encoded = mutants.flatMap((mutant) => codeOf(mutant) ?? []);
      expect(encoded.length).toBeGreaterThan(20);
      expect(encoded.filter((code) => code === 0)).toEqual([]);
      expect(codeOf(denial)).toBe(7);
    },
  );

  securityTest(
    attack("H02", "C", {
      source: "a handler that throws ends a Node process",
      title: "a handler that throws, rejects, never answers",
      outcome: "gRPC error, never an answer; the process lives, the counter rises",
    }),
    async () => {
      let behaviour: () => Uint8Array | Promise<Uint8Array> = () => new Uint8Array();
      const front = await startTestCheckServer(() => behaviour());
      const message = encodeCheck({});
      try {
        behaviour = () => {
          throw new TypeError("bug");
        };
        expect(await front.call(message)).toMatchObject({ code: 13, answer: new Uint8Array() });
        behaviour = () => Promise.reject(new Error("bug"));
        expect((await front.call(message)).code).toBe(13);
        behaviour = () => Promise.reject(undefined);
        expect((await front.call(message)).code).toBe(13);
        behaviour = () => new Promise(() => undefined);
        expect((await front.call(message, 200)).code).toBe(4);
        behaviour = () => encodeAsDecision(denial);
        expect(readAnswer((await front.call(message)).answer)).toMatchObject({ code: 7, status: 403 });
        expect(await front.metrics()).toMatch(/errors_total\{kind="handler"\} 3/);
      } finally {
        await front.stop();
      }
    },
  );

  securityTest(
    attack("H04", "C", {
      source: "CVE-2023-27488, CVE-2024-23324",
      title: "texts and metadata that are no UTF-8",
      outcome: "decided like any bytes; never an error of the call",
    }),
    async () => {
      const bad = Buffer.from([0x2f, 0xff, 0xfe, 0xc0, 0x80, 0x61]);
      const metadata = field(1, [
        field(1, "envoy.filters.http.x"),
        field(2, [field(1, [field(1, bad), field(2, bad)])]),
      ]);
      const messages = [
        { path: bad },
        { host: bad },
        { method: bad },
        { headers: [[bad, bad]] as const },
        { metadata },
      ].map(rawCheckRequest);
      const byMetadata = authorizationPolicy(
        "meta",
        'rules: [{ when: [{ key: "experimental.envoy.filters.http.x[key]", values: ["*"] }] }]',
      );
      const byPath = authorizationPolicy("path", 'rules: [{ to: [{ operation: { paths: ["/public"] } }] }]');
      for (const policies of [DENY_ALL, byMetadata, byPath, requestAuthentication(publicJwks()) + ANYJWT]) {
        const harness = await serverAtNow(policies);
        for (const message of messages) {
          const answer = await harness.checkBytes(message);
          expect(answer.code).not.toBe(0);
          expect([403, 500]).toContain(answer.status);
        }
      }
    },
  );
});

function codeOf(mutant: unknown): number | undefined {
  try {
    return readAnswer(encodeAsDecision(mutant)).code;
  } catch {
    return undefined; // the handler then answers with its own denial
  }
}
