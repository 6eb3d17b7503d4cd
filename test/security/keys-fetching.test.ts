import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { createKeyFetcher, type FetcherOptions, type FetchOutcome } from "@gatehouse/controller/jwks";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { publicJwks } from "../support/jwt.ts";
import { type KeyIssuer, startKeyIssuer, TEST_CA_FILE } from "../support/key-issuer.ts";
import { type SecurityCase, securityTest } from "./register.ts";
import { testJwk } from "./token-forge.ts";

const KEYS = publicJwks("rsa-2048", "ec-p256");
let issuer: KeyIssuer;

beforeEach(async () => {
  issuer = await startKeyIssuer();
});

afterEach(() => issuer.stop());

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome">,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "unit", ...about };
}

const OPEN: FetcherOptions = { allowLoopback: true, allowedHosts: [], blockedCidrs: [], extraCa: "", proxy: null };

/** @param uri empty: discovery from the issuer */
function fetchKeys(
  uri: string,
  options: Partial<FetcherOptions> = {},
  about: { issuer?: string; timeoutMs?: number } = {},
): Promise<FetchOutcome> {
  const source = { keySet: "remote-test", issuer: "https://issuer.example", uri, timeoutMs: 5000, ...about };
  return createKeyFetcher({ ...OPEN, ...options })(source, new AbortController().signal);
}

function failure(failureClass: string) {
  return expect.objectContaining({ kind: "failure", class: failureClass });
}

function keys(count: number) {
  return expect.objectContaining({ kind: "keys", keys: expect.objectContaining({ length: count }) });
}

const METADATA = [
  "http://169.254.169.254/latest/",
  "http://[fd00:ec2::254]/",
  "http://168.63.129.16/",
  "http://metadata.google.internal/",
  "http://METADATA.google.internal./",
  "http://[fe80::1]/",
];

describe("where keys are fetched from", () => {
  securityTest(
    attack("I02", "C", {
      source: "CVE-2026-41413",
      title: "a jwksUri that names a metadata service",
      outcome: "refused, with a class that says so",
    }),
    async () => {
      for (const uri of METADATA) expect(await fetchKeys(uri), uri).toEqual(failure("blocked"));
    },
  );

  securityTest(
    attack("I03", "C", {
      source: "CVE-2026-41413, the first fix",
      title: "redirects and discovery documents that lead to a refused address, or round and round",
      outcome: "each hop is checked; at most 3; never from https to http",
    }),
    async () => {
      issuer.answer(
        (_request, response) => void response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
      );
      expect(await fetchKeys(`${issuer.origin}/keys`)).toEqual(failure("blocked"));
      issuer.say(JSON.stringify({ jwks_uri: "http://169.254.169.254/keys" }));
      expect(await fetchKeys("", {}, { issuer: issuer.origin })).toEqual(failure("blocked"));
      issuer.answer((_request, response) => void response.writeHead(307, { location: "/again" }).end());
      const before = issuer.asked.length;
      expect(await fetchKeys(`${issuer.origin}/keys`)).toEqual(failure("redirect"));
      expect(issuer.asked.length - before).toBe(4);
      issuer.answer((request, response) => {
        const hop = Number(/\d/.exec(request.url ?? "")?.[0] ?? 0);
        if (hop === 3) response.end(KEYS);
        else response.writeHead(302, { location: `/hop-${hop + 1}` }).end();
      });
      expect(await fetchKeys(`${issuer.origin}/hop-0`)).toEqual(keys(2));
      const secure = await startKeyIssuer({ certificate: "server" });
      secure.answer((_request, response) => void response.writeHead(302, { location: `${issuer.origin}/hop-3` }).end());
      const trusting = { extraCa: readFileSync(TEST_CA_FILE, "utf8") };
      expect(await fetchKeys(`${secure.origin}/keys`, trusting)).toEqual(failure("redirect"));
      secure.say(JSON.stringify({ jwks_uri: `${issuer.origin}/hop-3` }));
      expect(await fetchKeys("", trusting, { issuer: secure.origin })).toEqual(failure("redirect"));
      await secure.stop();
    },
  );

  securityTest(
    attack("I04", "C", {
      source: "DNS rebinding",
      title: "a name that resolves to a good and a refused address, or to another one the next time",
      outcome: "every address of the one look-up is checked, and the connection goes to it",
    }),
    async () => {
      issuer.say(KEYS);
      const uri = issuer.origin.replace("127.0.0.1", "issuer.example");
      const lookups: string[][] = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "169.254.169.254"], []];
      const lookup = resolver(lookups);
      expect(await fetchKeys(uri, { lookup })).toEqual(keys(2));
      expect(lookups).toHaveLength(3);
      expect(await fetchKeys(uri, { lookup })).toEqual(failure("blocked"));
      expect(await fetchKeys(uri, { lookup })).toEqual(failure("blocked"));
      expect(await fetchKeys(uri, { lookup })).toEqual(failure("dns"));
      expect(await fetchKeys(uri, { lookup: resolver([["127.0.0.1"]]), allowLoopback: false })).toEqual(
        failure("blocked"),
      );
    },
  );

  securityTest(
    attack("I05", "H", {
      source: "encodings of addresses",
      title: "loopback and metadata addresses as numbers, octal, hexadecimal, mapped, wide digits",
      outcome: "refused like the plain form",
    }),
    async () => {
      const spellings = [
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "a.localhost",
        "LOCALHOST.",
        "１２７.0.0.1",
        "127。0。0。1",
        "0.0.0.0",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[2002:a9fe:a9fe::]",
      ];
      for (const host of spellings)
        expect(await fetchKeys(`http://${host}/`, { allowLoopback: false }), host).toEqual(failure("blocked"));
    },
  );

  securityTest(
    attack("I06", "H", {
      source: "schemes",
      title: "file:, data:, ftp:, unix:, javascript:, users in the URL",
      outcome: "refused",
    }),
    async () => {
      const uris = [
        "file:///etc/passwd",
        "data:application/json,{}",
        "ftp://127.0.0.1/",
        "unix:/run/docker.sock",
        "javascript:1",
        "FILE:///x",
        "//127.0.0.1/",
        "keys",
      ];
      for (const uri of uris) expect(await fetchKeys(uri), uri).toEqual(failure("bad_uri"));
      issuer.say(KEYS);
      const user = issuer.origin.replace("http://", "http://a@");
      expect(await fetchKeys(user)).toEqual(failure("bad_uri"));
      expect(await fetchKeys(issuer.origin.replace("http:", "HTTP:"))).toEqual(keys(2));
    },
  );

  securityTest(
    attack("I07", "H", {
      source: "private networks",
      title: "an issuer in a private network, a network or host that the operator refuses, loopback",
      outcome: "private networks are allowed, the others refused",
    }),
    async () => {
      const refused = { allowLoopback: false, blockedCidrs: ["10.0.0.0/8", "fd12::/16"], allowedHosts: [] };
      for (const uri of ["http://10.1.2.3/", "http://[fd12::1]/", issuer.origin]) {
        expect(await fetchKeys(uri, refused), uri).toEqual(failure("blocked"));
      }
      const elsewhere = { allowedHosts: ["idp.example.com", "*.example.org"] };
      expect(await fetchKeys(issuer.origin, elsewhere)).toEqual(failure("blocked"));
      expect(await fetchKeys("http://evil-example.org/", elsewhere)).toEqual(failure("blocked"));
      // Nothing listens there, so an attempt that is allowed ends in another way.
      const quick = { timeoutMs: 200 };
      for (const uri of ["http://10.255.255.1:9/", "http://192.168.255.1:9/", "http://172.16.255.1:9/"]) {
        expect(await fetchKeys(uri, { allowLoopback: false }, quick), uri).not.toEqual(failure("blocked"));
      }
    },
  );
});

/** Answers from a script. */
function resolver(script: string[][]): NonNullable<FetcherOptions["lookup"]> {
  return (_name, _options, callback) => {
    const addresses = script.shift() ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  };
}

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
      const startedMs = performance.now();
      expect(await fetchKeys(issuer.origin, {}, { timeoutMs: 200 })).toMatchObject({ kind: "failure" });
      expect(performance.now() - startedMs).toBeLessThan(1500);
    },
  );

  async function expectGivenUp(): Promise<void> {
    const startedMs = performance.now();
    expect(await fetchKeys(issuer.origin, {}, { timeoutMs: 200 })).toEqual(failure("timeout"));
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
