import { parseWorkload, TokenCache, type WorkloadPolicy } from "@gatehouse/authz-server/engine";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { authenticate } from "../../authz-server/src/authn/authenticate.ts";
import { indexOf, translatePolicies } from "../support/check-harness.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

const POLICY = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec: { jwtRules: [{ issuer: ${TEST_ISSUER}, jwks: '${publicJwks("rsa-2048", "ec-p256", "ed25519", "oct-512")}' }] }
`;

let rules: WorkloadPolicy["jwtRules"];
let tokens: readonly string[];

beforeAll(async () => {
  const index = await indexOf(translatePolicies(POLICY).flatMap((one) => one.resources));
  const workload = parseWorkload({ namespace: "foo", labels: "", gateways: "", serverPort: "" });
  rules = workload === undefined ? [] : index.select(workload).jwtRules;
  tokens = await Promise.all(
    (["RS256", "ES256", "EdDSA", "HS256"] as const).map((alg) => mintTestToken({ groups: ["a"] }, { alg })),
  );
});

/** One cache for all: a wrong entry would show. */
const io = {
  cache: new TokenCache({ entries: 1000, bytes: 1_000_000 }, () => undefined),
  now: () => 1_800_000_000_000,
};

function isAccepted(token: string): boolean {
  const headers = [{ name: "authorization", value: `Bearer ${token}` }];
  return authenticate(rules, { headers, query: "", requireExp: false }, io).kind === "authenticated";
}

/** What lies before the first character of a token is not part of it, in Envoy too. */
function withoutLead(text: string): string {
  return text.replace(/^[^\w.-]+/, "");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= \n+/";

test(
  "a token of which one character was changed, dropped, added or moved is refused",
  async () => {
    for (const token of tokens) expect(isAccepted(token)).toBe(true);
    const change = fc.record({
      which: fc.nat(3),
      at: fc.nat(10_000),
      kind: fc.constantFrom("replace", "drop", "insert", "swap"),
      character: fc.constantFrom(...ALPHABET),
    });
    await fuzz(change, ({ which, at, kind, character }) => {
      const token = tokens[which] ?? "";
      const i = at % token.length;
      const tail = {
        replace: character + token.slice(i + 1),
        drop: token.slice(i + 1),
        insert: character + token.slice(i),
      };
      const swapped = `${token.charAt(i + 1)}${token.charAt(i)}${token.slice(i + 2)}`;
      const changed = token.slice(0, i) + (kind === "swap" ? swapped : tail[kind]);
      if (withoutLead(changed) !== token) expect(isAccepted(changed)).toBe(false);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "a token of which one bit was flipped in header, payload or signature is refused",
  async () => {
    const flip = fc.record({ which: fc.nat(3), part: fc.nat(2), bit: fc.nat(100_000) });
    await fuzz(flip, ({ which, part, bit }) => {
      const parts = (tokens[which] ?? "").split(".");
      const bytes = Buffer.from(parts[part] ?? "", "base64url");
      const at = bit % (bytes.length * 8);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      parts[part] = bytes.toString("base64url");
      expect(isAccepted(parts.join("."))).toBe(false);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "parts of good tokens put together otherwise are refused, and so is noise",
  async () => {
    const pieces = tokens.flatMap((token) => token.split("."));
    const texts = fc.oneof(
      fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(...pieces))).map((parts) => parts.join(".")),
      soup([...pieces, ".", ".", ".", "e30", "bnVsbA", "AA", ""], 8),
    );
    await fuzz(texts, (text) => {
      if (!tokens.includes(withoutLead(text))) expect(isAccepted(text)).toBe(false);
    });
  },
  FUZZ_TIMEOUT_MS,
);
