import { readFileSync } from "node:fs";
import type { FetcherOptions } from "@gatehouse/controller/jwks";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { type KeyIssuer, startKeyIssuer, TEST_CA_FILE } from "../support/key-issuer.ts";
import { failure, fetchKeys, KEYS, keys } from "./fixtures/key-fetching.ts";
import { attacksAt, securityTest } from "./register.ts";

let issuer: KeyIssuer;

beforeEach(async () => {
  issuer = await startKeyIssuer();
});

afterEach(() => issuer.stop());

const attack = attacksAt("unit");

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
