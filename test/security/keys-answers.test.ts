import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { type KeyIssuer, startKeyIssuer, TEST_CA_FILE } from "../support/key-issuer.ts";
import { failure, fetchKeys, KEYS, keys } from "./fixtures/key-fetching.ts";
import { attacksAt, securityTest } from "./register.ts";
import { testJwk } from "./token-forge.ts";

let issuer: KeyIssuer;

beforeEach(async () => {
  issuer = await startKeyIssuer();
});

afterEach(() => issuer.stop());

const attack = attacksAt("unit");

describe("what a server of keys may answer", () => {
  securityTest(
    attack("I08", "H", {
      source: "size",
      title: "an endless body; a key set of just under and just over 1 MiB",
      outcome: "read up to 1 MiB, then given up",
    }),
    async () => {
      issuer.answer((_request, response) => {
        const more = () => void (response.destroyed || response.write("x".repeat(65_536), more));
        more();
      });
      expect(await fetchKeys(issuer.origin)).toEqual(failure("too_large"));
      issuer.say(KEYS.padEnd(1024 * 1024));
      expect(await fetchKeys(issuer.origin)).toEqual(keys(2));
      issuer.say(KEYS.padEnd(1024 * 1024 + 1));
      expect(await fetchKeys(issuer.origin)).toEqual(failure("too_large"));
      issuer.say(KEYS, { "x-long": "x".repeat(20_000) });
      expect(await fetchKeys(issuer.origin)).toEqual(failure("too_large"));
    },
  );

  securityTest(
    attack("I09", "H", {
      source: "CVE-2026-22036",
      title: "compressed answers, chains of encodings",
      outcome: "identity is asked for, anything else is refused unread",
    }),
    async () => {
      let accepted: string | undefined;
      issuer.answer((request, response) => {
        accepted = String(request.headers["accept-encoding"]);
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(KEYS));
      });
      expect(await fetchKeys(issuer.origin)).toEqual(failure("encoded"));
      expect(accepted).toBe("identity");
      issuer.say(KEYS, { "content-encoding": "gzip,".repeat(1000) });
      expect(await fetchKeys(issuer.origin)).toEqual(failure("encoded"));
    },
  );

  securityTest(
    attack("I10", "H", {
      source: "slow loris",
      title: "headers or a body byte by byte; a connection that says nothing",
      outcome: "given up at the rule's timeout, counted over everything",
    }),
    async () => {
      const slowly: Parameters<KeyIssuer["answer"]>[0] = (_request, response) => {
        const timer = setInterval(() => response.write(" "), 20);
        response.on("close", () => clearInterval(timer));
      };
      issuer.answer(slowly);
      await expectGivenUp();
      issuer.hang();
      await expectGivenUp();
      issuer.answer((request) => {
        const timer = setInterval(() => request.socket.write("H"), 20);
        request.socket.on("close", () => clearInterval(timer));
      });
      // The parser of the answer may be the first to give up.
      await expectGivenUp(expect.objectContaining({ kind: "failure" }));
    },
  );

  async function expectGivenUp(expected: unknown = failure("timeout")): Promise<void> {
    const startedMs = performance.now();
    expect(await fetchKeys(issuer.origin, {}, { timeoutMs: 200 })).toEqual(expected);
    expect(performance.now() - startedMs).toBeLessThan(1500);
  }

  securityTest(
    attack("I11", "M", {
      source: "robustness",
      title: "a login page, a byte order mark, broken UTF-8, other JSON, any content type",
      outcome: "a JSON object with a list of keys, whatever it is called; all else is a failure",
    }),
    async () => {
      for (const type of ["text/html", "application/jwk-set+json; charset=utf-8", "nonsense"]) {
        issuer.say(KEYS, { "content-type": type });
        expect(await fetchKeys(issuer.origin), type).toEqual(keys(2));
      }
      for (const body of [
        "<html>Sign in</html>",
        "",
        "[]",
        "{}",
        "null",
        '{"keys":{}}',
        '{"keys":"x"}',
        `\uFEFF${KEYS}`,
        `${KEYS}x`,
        KEYS.slice(0, -1),
      ]) {
        issuer.say(body, { "content-type": "application/json" });
        expect(await fetchKeys(issuer.origin), body.slice(0, 20)).toEqual(failure("not_json"));
      }
      issuer.answer((_request, response) => void response.end(Buffer.from([0x7b, 0xff, 0x7d])));
      expect(await fetchKeys(issuer.origin)).toEqual(failure("not_json"));
      for (const status of [204, 401, 404, 500, 503]) {
        issuer.answer((_request, response) => void response.writeHead(status).end(status === 204 ? undefined : KEYS));
        expect(await fetchKeys(issuer.origin), String(status)).toEqual(failure(status === 204 ? "not_json" : "status"));
      }
    },
  );

  securityTest(
    attack("I16", "M", {
      source: "key hygiene",
      title: "a private key or a shared secret in a published key set",
      outcome: "the key is refused and named; no private member goes anywhere",
    }),
    async () => {
      const secret = testJwk("rsa-2048");
      const published = { keys: [secret, testJwk("oct-512"), JSON.parse(KEYS).keys[1]] };
      issuer.say(JSON.stringify(published));
      const outcome = await fetchKeys(issuer.origin);
      expect(outcome).toMatchObject({
        kind: "keys",
        keys: [{ kty: "EC" }],
        skipped: [expect.stringMatching(/index 0.*private/), expect.stringMatching(/index 1.*secret/)],
      });
      expect(JSON.stringify(outcome)).not.toContain(secret["d"]);
      expect(JSON.stringify(outcome)).not.toContain(testJwk("oct-512")["k"]);
      issuer.say(JSON.stringify({ keys: [secret] }));
      expect(await fetchKeys(issuer.origin)).toEqual(failure("no_usable_key"));
    },
  );

  securityTest(
    attack("I17", "M", {
      source: "jose refuses the whole set",
      title: "a malformed key, null and numbers among good keys",
      outcome: "skipped and named; the good ones are used",
    }),
    async () => {
      const [rsa, ec] = JSON.parse(KEYS).keys;
      issuer.say(
        JSON.stringify({
          keys: [null, 1, "x", [], {}, { kty: "EC", crv: "P-256", x: "AA", y: "AA" }, rsa, { ...rsa, e: "AQ" }, ec],
        }),
      );
      expect(await fetchKeys(issuer.origin)).toMatchObject({
        keys: [{ kid: "rsa-2048" }, { kid: "ec-p256" }],
        skipped: { length: 7 },
      });
    },
  );

  securityTest(
    attack("I19", "M", {
      source: "TLS",
      title: "a certificate of nobody known, for another name, expired; an old TLS",
      outcome: "refused; an extra authority can be trusted, checks can't be switched off",
    }),
    async () => {
      const extraCa = readFileSync(TEST_CA_FILE, "utf8");
      const outcomes = [];
      for (const options of [
        { certificate: "server" },
        { certificate: "wrong-name" },
        { certificate: "expired" },
        { certificate: "server", maxVersion: "TLSv1.1" },
      ] as const) {
        const server = await startKeyIssuer(options);
        server.say(KEYS);
        outcomes.push(await fetchKeys(server.origin, { extraCa }));
        if (outcomes.length === 1) outcomes.push(await fetchKeys(server.origin));
        await server.stop();
      }
      expect(outcomes).toEqual([keys(2), failure("tls"), failure("tls"), failure("tls"), failure("tls")]);
    },
  );

  securityTest(
    attack("I22", "M", {
      source: "SSRF oracle",
      title: "what an internal server says, read back through errors",
      outcome: "a class and a status code; no body, no header",
    }),
    async () => {
      issuer.answer((_request, response) => {
        response.writeHead(500, "internal-reason", { "x-internal": "internal-header" }).end("internal-body");
      });
      const outcome = await fetchKeys(issuer.origin);
      expect(outcome).toEqual({ kind: "failure", class: "status", detail: "HTTP 500" });
      issuer.say("internal-body");
      expect(JSON.stringify(await fetchKeys(issuer.origin))).not.toContain("internal");
      issuer.answer(
        (_request, response) => void response.writeHead(302, { location: "gopher://internal-host/" }).end(),
      );
      expect(JSON.stringify(await fetchKeys(issuer.origin))).not.toContain("internal");
    },
  );
});
