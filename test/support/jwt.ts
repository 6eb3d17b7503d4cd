import { readFileSync } from "node:fs";
import { importJWK, type JWK, SignJWT } from "jose";

/** Issuer and subject of the tokens that Istio's documents use. */
export const TEST_ISSUER = "testing@secure.istio.io";

/** Files of `keys/`; also the `kid` of the key. */
export type TestKeyName =
  | "rsa-2048"
  | "rsa-3072"
  | "ec-p256"
  | "ec-p384"
  | "ec-p521"
  | "ed25519"
  | "oct-512"
  | "rogue-rsa-2048";

/** The algorithms that Istio accepts. */
export const ALGORITHMS = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const),
  ...(["ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA"] as const),
] as const;

/** One of them. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** How a token is signed. */
export interface MintOptions {
  /** Default RS256. */
  readonly alg?: Algorithm;
  /** Default: one that fits the algorithm. */
  readonly key?: TestKeyName;
  /** Default: the key's name. `null` leaves `kid` out. */
  readonly kid?: string | null;
  /** Further members of the JOSE header. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signs a compact JWT whose payload is exactly `claims`; nothing is added. */
export async function mintToken(claims: Readonly<Record<string, unknown>>, options: MintOptions = {}): Promise<string> {
  const alg = options.alg ?? "RS256";
  const name = options.key ?? SIGNING_KEYS[alg];
  const kid = options.kid === undefined ? name : options.kid;
  const header = { alg, ...(kid === null ? {} : { kid }), typ: "JWT", ...options.header };
  return new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(privateJwk(name), alg));
}

/** A token of the test issuer that is valid until 2100, with further claims. */
export function mintTestToken(
  claims: Readonly<Record<string, unknown>> = {},
  options: MintOptions = {},
): Promise<string> {
  return mintToken({ iss: TEST_ISSUER, sub: TEST_ISSUER, iat: ISSUED_AT_SEC, exp: EXPIRES_AT_SEC, ...claims }, options);
}

/** The token `demo` of Istio's documents: no claims that policy looks at. */
export function demoToken(): Promise<string> {
  return mintTestToken({ foo: "bar" });
}

/** The token `groups-scope` of Istio's documents. */
export function groupsScopeToken(): Promise<string> {
  return mintTestToken({ groups: ["group1", "group2"], scope: ["scope1", "scope2"] });
}

/** The JSON text of a public key set (with the secret, for `oct` keys), as `jwks` of a JWTRule takes it. Default: the test issuer's key. */
export function publicJwks(...names: readonly TestKeyName[]): string {
  return JSON.stringify({ keys: (names.length === 0 ? (["rsa-2048"] as const) : names).map(publicJwk) });
}

const SIGNING_KEYS: Readonly<Record<Algorithm, TestKeyName>> = {
  RS256: "rsa-2048",
  RS384: "rsa-2048",
  RS512: "rsa-3072",
  PS256: "rsa-2048",
  PS384: "rsa-3072",
  PS512: "rsa-3072",
  ES256: "ec-p256",
  ES384: "ec-p384",
  ES512: "ec-p521",
  HS256: "oct-512",
  HS384: "oct-512",
  HS512: "oct-512",
  EdDSA: "ed25519",
};

// Fixed times, so that RS256 tokens are the same text in every run.
const ISSUED_AT_SEC = 1_700_000_000;
const EXPIRES_AT_SEC = 4_102_444_800;

const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(["d", "p", "q", "dp", "dq", "qi"]);

function publicJwk(name: TestKeyName): JWK {
  return Object.fromEntries(Object.entries(privateJwk(name)).filter(([member]) => !PRIVATE_MEMBERS.has(member)));
}

function privateJwk(name: TestKeyName): JWK {
  return JSON.parse(readFileSync(new URL(`keys/${name}.json`, import.meta.url), "utf8"));
}
