import { constants, createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { TEST_ISSUER, type TestKeyName } from "../support/jwt.ts";

/** What a forged token is made of. Texts are taken as they are: they need not be JSON. */
export interface Forgery {
  readonly header?: string | Uint8Array | Readonly<Record<string, unknown>>;
  /** Default: a valid payload of the test issuer, with these claims besides. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** In place of `claims`: the payload itself. */
  readonly payload?: string | Uint8Array;
  /** Default `rsa-2048`. */
  readonly key?: TestKeyName | KeyObject;
  /** How it is really signed, whatever the header says. Default RS256. */
  readonly alg?: "RS256" | "RS512" | "PS256" | "ES256" | "EdDSA";
}

/** Seconds since the epoch that tests take for the present. */
export const NOW_SEC = 1_800_000_000;

/** The payload of a valid token. */
export const VALID_CLAIMS = { iss: TEST_ISSUER, sub: TEST_ISSUER, exp: NOW_SEC + 3600 } as const;

/** Signs whatever it is told to sign: tokens that no library would make. */
export function forge(forgery: Forgery = {}): string {
  const { key = "rsa-2048", alg = "RS256" } = forgery;
  const header = forgery.header ?? { alg, kid: typeof key === "string" ? key : "k", typ: "JWT" };
  const payload = forgery.payload ?? JSON.stringify({ ...VALID_CLAIMS, ...forgery.claims });
  const input = `${segment(header)}.${segment(payload)}`;
  const privateKey = typeof key === "string" ? testKey(key) : key;
  return `${input}.${signature(alg, input, privateKey).toString("base64url")}`;
}

/** A token whose payload goes on after its valid claims with a text that JSON.stringify would not write. @param members from the comma on */
export function forgeMembers(members: string): string {
  return forge({ payload: `{"iss":"${TEST_ISSUER}","sub":"s","exp":${NOW_SEC + 3600}${members}}` });
}

/** A token with an HMAC under any secret. */
export function forgeHmac(secret: string | Uint8Array, header: Readonly<Record<string, unknown>>): string {
  const input = `${segment({ alg: "HS256", ...header })}.${segment(JSON.stringify(VALID_CLAIMS))}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** One part of a token. */
export function segment(content: string | Uint8Array | Readonly<Record<string, unknown>>): string {
  const bytes = typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content);
  return Buffer.from(bytes).toString("base64url");
}

/** The private test key. */
export function testKey(name: TestKeyName): KeyObject {
  return createPrivateKey({ key: testJwk(name), format: "jwk" });
}

/** Its JWK, private members included. */
export function testJwk(name: TestKeyName): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`../support/keys/${name}.json`, import.meta.url), "utf8"));
}

/** A RequestAuthentication of foo/app=httpbin with these keys, and what else is said. @param more further YAML of the rule, indented by six */
export function requestAuthentication(jwks: string, more = ""): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra1, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${jwks}'
${more}
---`;
}

/** An AuthorizationPolicy of foo. @param spec YAML in flow style, without the braces */
export function authorizationPolicy(name: string, spec: string): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: foo }
spec: { ${spec} }
---`;
}

/** Only requests with a verified issuer and subject. */
export const ANYJWT = authorizationPolicy("anyjwt", 'rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }]');

/** No request at all. */
export const DENY_ALL = authorizationPolicy("deny-all", "");

/** Only requests with the group. */
export const GRP = authorizationPolicy(
  "grp",
  'rules: [{ when: [{ key: "request.auth.claims[groups]", values: ["group1"] }] }]',
);

function signature(alg: NonNullable<Forgery["alg"]>, input: string, key: KeyObject): Buffer {
  const data = Buffer.from(input, "latin1");
  switch (alg) {
    case "RS256":
      return sign("sha256", data, key);
    case "RS512":
      return sign("sha512", data, key);
    case "PS256":
      return sign("sha256", data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case "ES256":
      return sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });
    case "EdDSA":
      return sign(null, data, key);
  }
}
