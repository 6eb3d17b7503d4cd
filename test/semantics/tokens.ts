import { createHmac, createPublicKey } from "node:crypto";
import { type MintOptions, mintToken, publicJwks } from "../support/jwt.ts";

/** The issuers of the rows; all sign with one key. */
export const ISSUERS = {
  i1: "test-issuer-1@istio.io",
  i2: "test-issuer-2@istio.io",
  i3: "test-issuer-3@istio.io",
} as const;

/** The tokens of the rows, by the names that they have there. */
export async function mintTokens(nowSec: number): Promise<ReadonlyMap<string, string>> {
  const specs = { ...plainTokens(), ...oddTokens(nowSec), values: also(ALL_KINDS) };
  const minted = await Promise.all(
    Object.entries(specs).map(
      async ([name, { claims, ...options }]) => [name, await mintToken(claims, options)] as const,
    ),
  );
  const tokens = new Map(minted);
  const t1 = tokens.get("T1") ?? "";
  tokens.set("T1-flipped", flipSignature(t1));
  tokens.set("T1-alg-none", withHeader(t1, { alg: "none" }));
  tokens.set("T1-alg-missing", withHeader(t1, { kid: "rsa-2048" }));
  tokens.set("T1-kid-number", withHeader(t1, { alg: "RS256", kid: 1 }));
  tokens.set("T1-hmac-with-public-key", signWithPublicKey(t1));
  tokens.set("payload-not-json", `${t1.split(".")[0]}.${base64Url("{")}.${t1.split(".")[2]}`);
  tokens.set("payload-not-base64", `${t1.split(".")[0]}.%%%.${t1.split(".")[2]}`);
  tokens.set("header-not-json", `${base64Url("{")}.${t1.split(".")[1]}.${t1.split(".")[2]}`);
  return tokens;
}

interface TokenSpec extends MintOptions {
  readonly claims: Readonly<Record<string, unknown>>;
}

type Claims = Readonly<Record<string, unknown>>;

const { i1, i2, i3 } = ISSUERS;
const EXP = 4_102_444_800;
const DEMO = "testing@secure.istio.io";
const T1: Claims = { iss: i1, sub: "sub-1", iat: 1_562_182_722, exp: EXP, groups: ["group-1"] };

function of(claims: Claims, options: MintOptions = {}): TokenSpec {
  return { claims, ...options };
}

/** T1 with further claims, or other ones. */
function also(claims: Claims, options: MintOptions = {}): TokenSpec {
  return of({ ...T1, ...claims }, options);
}

/** The tokens that Istio's own tests and documents speak of. */
function plainTokens(): Readonly<Record<string, TokenSpec>> {
  const t2 = { iss: i2, sub: "sub-2", exp: EXP, groups: ["group-2"] };
  const n1 = { nested: { key1: ["valueA", "valueB"], "nested-2": { key1: ["valueA", "valueB"] } } };
  const n2 = { nested: { key2: "valueC", "nested-2": { key2: "valueC" } } };
  const demo = { iss: DEMO, sub: DEMO, exp: EXP, foo: "bar" };
  return {
    T1: of(T1),
    T1a: also({ aud: "foo" }),
    T1al: also({ aud: ["foo", "buzz"] }),
    T1z: also({ azp: "bar" }),
    N1: also(n1),
    N2: also(n2),
    TC: also({ [`${i1}/simple`]: "valueC", [`${i1}/nested`]: { key1: "valueC" }, [i2]: { key1: "valueA" } }),
    T2: of(t2),
    T2p: of({ ...t2, permission: "read write" }),
    T2s: of({ ...t2, scope: "write read" }),
    T2c: of({ ...t2, custom_scope: "admin user" }),
    T3: of({ iss: i3, sub: "sub-1", exp: EXP }),
    TX: also({ exp: 1_562_182_856 }),
    T2X: of({ ...t2, exp: 1_562_182_856 }),
    D: of(demo),
    G: of({ ...demo, groups: ["group1", "group2"], scope: ["scope1", "scope2"] }),
    admin: also({ role: "admin", groups: ["user", "admin"] }),
    Admin: also({ role: "Admin", groups: ["Admin"] }),
    "scope-words": also({ scope: "read write" }),
    "scope-list": also({ scope: ["read write"] }),
    "scope-object": also({ scope: { inside: "read write" } }),
    "scope-nested": also({ a: { scope: "read write" } }),
    google: also({ iss: "https://accounts.google.com", sub: "u" }),
    "slash-issuer": also({ iss: "https://a.b/", sub: "u" }),
    "star-sub": also({ sub: "*" }),
    "list-sub": also({ azp: ["bar", "baz"] }),
  };
}

/** Tokens with something odd in header or payload. */
function oddTokens(nowSec: number): Readonly<Record<string, TokenSpec>> {
  return {
    "T1-kid-unknown": also({}, { kid: "somebody-else" }),
    "T1-no-kid": also({}, { kid: null }),
    "T1-es256": also({}, { alg: "ES256", kid: "rsa-2048" }),
    "T1-rogue": also({}, { key: "rogue-rsa-2048", kid: "rsa-2048" }),
    "T1-hs256": also({}, { alg: "HS256" }),
    "T1-exp-30s-ago": also({ exp: nowSec - 30 }),
    "T1-exp-90s-ago": also({ exp: nowSec - 90 }),
    "T1-nbf-in-30s": also({ nbf: nowSec + 30 }),
    "T1-nbf-in-90s": also({ nbf: nowSec + 90 }),
    "T1-no-exp": of({ iss: i1, sub: "sub-1" }),
    "T1-exp-text": also({ exp: String(EXP) }),
    "T1-exp-negative": also({ exp: -1 }),
    "T1-nbf-text": also({ nbf: "0" }),
    "T1-nbf-negative": also({ nbf: -1 }),
    "T1-iat-text": also({ iat: "0" }),
    "T1-iat-negative": also({ iat: -1 }),
    "T1-exp-fraction": also({ exp: nowSec - 60.5 }),
    "T1-iss-number": also({ iss: 5 }),
    "T1-sub-number": also({ sub: 5 }),
    "T1-jti-number": also({ jti: 5 }),
    "T1-aud-number": also({ aud: 5 }),
    "T1-aud-mixed": also({ aud: ["foo", 5] }),
    "T1-no-sub": of({ iss: i1, exp: EXP }),
    "T1-empty-sub": also({ sub: "" }),
    "no-iss": of({ sub: "sub-1", exp: EXP }),
    "aud-plain": also({ aud: "api.x.io" }),
    "aud-http-slash": also({ aud: "http://api.x.io/" }),
    "aud-two-slashes": also({ aud: "api.x.io//" }),
    "aud-upper": also({ aud: "API.x.io" }),
  };
}

/** A claim of every kind. */
const ALL_KINDS: Claims = {
  n: 1.5,
  m: -1,
  b: true,
  f: false,
  z: null,
  e: "",
  l: [],
  o: { a: "b", c: [1] },
  big: 2 ** 64,
  zero: 0,
  list: ["x", 1],
  ünï: "größe",
  crlf: "a\r\nx-injected: 1",
  ids: [1, 2],
  deep: [["x"]],
  mixed: [1, "in-list"],
  admin: true,
  role: "admin",
  empties: [""],
  blanks: "  ",
  "a.b": "dotted",
  "a][b": "brackets",
  '"groups"': "quoted",
};

function flipSignature(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  return `${header}.${payload}.${bytes.toString("base64url")}`;
}

function withHeader(token: string, header: Readonly<Record<string, unknown>>): string {
  const [, payload = "", signature = ""] = token.split(".");
  return `${base64Url(JSON.stringify(header))}.${payload}.${signature}`;
}

/** The classic forgery: an HMAC with the text of the public key as its secret. */
function signWithPublicKey(token: string): string {
  const [, payload = ""] = token.split(".");
  const jwk = JSON.parse(publicJwks()).keys[0];
  const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  const signingInput = `${base64Url(JSON.stringify({ alg: "HS256", kid: "rsa-2048" }))}.${payload}`;
  return `${signingInput}.${createHmac("sha256", pem).update(signingInput).digest("base64url")}`;
}

function base64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
