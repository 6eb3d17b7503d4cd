import type { Algorithm, TestKeyName } from "../../support/jwt.ts";
import type { TokenTwin } from "../policy-set.ts";
import type { Random } from "../random.ts";
import { ALGORITHMS_OF, type JsonWebKey, signText } from "./keys.ts";
import { AUDIENCES, ISSUERS, ROLES, SUBJECTS } from "./vocabulary.ts";

/** A key that some rule of the set accepts: who issues with it, and how it is published. */
export interface Signer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly key: TestKeyName;
  readonly published: JsonWebKey;
}

/** Tokens of a set, most of them good. */
export interface TokenPool {
  readonly tokens: readonly string[];
  readonly twins: readonly TokenTwin[];
}

/** @param nowSec tokens are made around this time; nothing is within 50 s of an edge */
export function makeTokens(random: Random, signers: readonly Signer[], nowSec: number): TokenPool {
  const tokens: string[] = [];
  const twins: TokenTwin[] = [];
  for (let made = 0; made < 12; made++) {
    const draft = makeDraft(random, signers, nowSec);
    if (random.chance(0.12)) {
      const twin = makeTwin(random, draft);
      twins.push(twin);
      tokens.push(twin.text);
    } else tokens.push(random.chance(0.25) ? mangle(random, draft) : encode(draft));
  }
  return { tokens, twins };
}

type Members = Readonly<Record<string, unknown>>;

interface Draft {
  readonly header: Members;
  readonly payload: Members;
  readonly key: TestKeyName;
  readonly alg: Algorithm;
}

function makeDraft(random: Random, signers: readonly Signer[], nowSec: number): Draft {
  const stranger: Signer = { issuer: random.pick(ISSUERS), audiences: [], key: "rogue-rsa-2048", published: {} };
  const signer = signers.length === 0 || random.chance(0.07) ? stranger : random.pick(signers);
  const published = signer.published["alg"];
  const fitting = ALGORITHMS_OF[signer.key].find((alg) => alg === published);
  const alg = fitting !== undefined && random.chance(0.9) ? fitting : random.pick(ALGORITHMS_OF[signer.key]);
  const kid = random.weighted<unknown>([
    [10, signer.published["kid"]],
    [2, undefined],
    [1, "unknown"],
    [1, random.pick(["rsa-2048", "ec-p256", ""])],
  ]);
  return {
    header: { alg, ...(kid === undefined ? {} : { kid }), ...(random.chance(0.7) ? { typ: "JWT" } : {}) },
    payload: makeClaims(random, signer, nowSec),
    key: signer.key,
    alg,
  };
}

function makeClaims(random: Random, signer: Signer, nowSec: number): Members {
  const audience = signer.audiences.length > 0 && random.chance(0.8) ? signer.audiences : AUDIENCES;
  const aud = random.weighted<unknown>([
    [4, random.pick(audience)],
    [3, random.some(AUDIENCES, 0, 3)],
    [2, undefined],
    [1, `https://${random.pick(AUDIENCES)}/`],
  ]);
  const claims: Record<string, unknown> = {
    iss: random.weighted<unknown>([
      [20, signer.issuer],
      [2, random.pick(ISSUERS)],
      [1, undefined],
    ]),
    sub: random.weighted<unknown>([
      [8, random.pick(SUBJECTS)],
      [1, undefined],
      [1, ""],
    ]),
    aud,
    iat: nowSec - 1000,
    exp: random.weighted<unknown>([
      [10, nowSec + 86_400],
      [1, nowSec - 5],
      [1, nowSec - 120],
      [1, nowSec - 86_400],
      [1, undefined],
      [1, nowSec + 86_400.5],
    ]),
    nbf: random.weighted<unknown>([
      [12, undefined],
      [2, nowSec - 60],
      [1, nowSec + 50],
      [1, nowSec + 7200],
      [1, 0],
    ]),
    azp: random.chance(0.3) ? random.pick(["web", "mobile"]) : undefined,
    ...someClaims(random),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

function someClaims(random: Random): Members {
  const role = (): unknown =>
    random.weighted<unknown>([
      [4, random.pick(ROLES)],
      [3, random.some(ROLES, 0, 3)],
      [1, 5],
      [1, true],
      [1, null],
      [1, ""],
      [1, [5, random.pick(ROLES)]],
      [1, [[random.pick(ROLES)]]],
      [1, { role: random.pick(ROLES) }],
    ]);
  const words = (): unknown =>
    random.weighted<unknown>([
      [4, random.some(ROLES, 0, 3).join(" ")],
      [1, ` ${random.pick(ROLES)}  ${random.pick(ROLES)} `],
      [1, " "],
      [1, random.some(ROLES, 1, 3)],
      [1, random.pick(ROLES)],
    ]);
  const all: Readonly<Record<string, () => unknown>> = {
    groups: role,
    role,
    scope: words,
    permission: words,
    scp: words,
    org: () => random.pick<unknown>([{ role: role(), teams: role(), unit: { name: role() } }, role()]),
    "a.b": role,
    "https://example.com/roles": role,
    num: () => random.pick([0, 1, 1562182722, -1, 1.5, 2 ** 53, -2.25, 0.1, 12345678.9]),
    flag: () => random.chance(0.5),
    none: () => null,
    a: () => ({ b: role() }),
  };
  const names = random.some(Object.keys(all), 2, 7);
  return Object.fromEntries(names.map((name) => [name, all[name]?.()]));
}

function encode({ header, payload, key, alg }: Draft): string {
  return signedParts(segment(JSON.stringify(header)), segment(JSON.stringify(payload)), key, alg);
}

function signedParts(header: string, payload: string, key: TestKeyName, alg: Algorithm): string {
  const input = `${header}.${payload}`;
  return `${input}.${signText(input, key, alg)}`;
}

function segment(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

/** Odd tokens that Envoy and Gatehouse judge alike. */
function mangle(random: Random, draft: Draft): string {
  const { header, payload } = draft;
  const good = encode(draft);
  const [head = "", body = "", signature = ""] = good.split(".");
  const withHeader = (members: Members): string => encode({ ...draft, header: { ...header, ...members } });
  const withPayload = (members: Members): string => encode({ ...draft, payload: { ...payload, ...members } });
  return random.pick<() => string>([
    () => `${head}.${body}`,
    () => `${good}.x`,
    () => `x${good}`,
    () => `${head}.${body}.${signature.slice(0, -5)}`,
    () => `${head}.${body}.!!${signature}`,
    () => `${head}.${segment("{")}.${signature}`,
    () => `${segment("[]")}.${body}.${signature}`,
    () => `${segment("no json")}.${body}.${signature}`,
    () => `${head}.***.${signature}`,
    () => `%%%.${body}.${signature}`,
    () => `${head}.${segment(JSON.stringify({ ...payload, sub: "mallory" }))}.${signature}`,
    () => withHeader({ alg: "none" }),
    () => withHeader({ alg: 5 }),
    () => withHeader({ alg: undefined }),
    () => withHeader({ alg: "hs256" }),
    () => withHeader({ kid: 5 }),
    () => withPayload({ iss: 5 }),
    () => withPayload({ iss: null }),
    () => withPayload({ sub: 5 }),
    () => withPayload({ sub: null }),
    () => withPayload({ jti: 5 }),
    () => withPayload({ iat: "1" }),
    () => withPayload({ nbf: "1" }),
    () => withPayload({ exp: "1" }),
    () => withPayload({ exp: -1 }),
    () => withPayload({ exp: null }),
    () => withPayload({ exp: 1e300 }),
    () => withPayload({ aud: 5 }),
    () => withPayload({ aud: ["web", 5] }),
    () => withPayload({ aud: {} }),
    () => withPayload({ aud: null }),
    () => withPayload({ aud: "" }),
    () => "garbage",
    () => "a.b.c",
  ])();
}

/** Odd tokens on which Gatehouse is stricter: Envoy gets one that it refuses with the answer that Gatehouse owes. */
function makeTwin(random: Random, draft: Draft): TokenTwin {
  const { header, payload, key, alg } = draft;
  const good = encode(draft);
  const [head = "", body = "", signature = ""] = good.split(".");
  const badSignature = (): string => `${head}.${body}.${flipped(signature)}`;
  return random.pick<() => TokenTwin>([
    () => ({
      row: "exp-zero",
      text: encode({ ...draft, payload: { ...payload, exp: 0 } }),
      judgedAs: encode({ ...draft, payload: { ...payload, exp: 1 } }),
    }),
    () => {
      const text = JSON.stringify(payload).replace(/\}$/, ",}");
      return twin("strict-json", signedParts(head, segment(text), key, alg), signedParts(head, noJson(text), key, alg));
    },
    () => {
      const text = JSON.stringify(header).replace(/\}$/, ',"typ":"a","typ":"b"}');
      return twin("strict-json", signedParts(segment(text), body, key, alg), signedParts(noJson(text), body, key, alg));
    },
    () => ({ row: "canonical-base64", text: good.replace(".", "=."), judgedAs: `A*.${body}.${signature}` }),
    () => ({ row: "canonical-base64", text: `${head}.${body}..${signature}`, judgedAs: `${head}.${body}` }),
    () => ({ row: "canonical-base64", text: `${head}.${body}.${strayBits(signature)}`, judgedAs: badSignature() }),
    // To Envoy an EC or Ed25519 key does not care what algorithm the token names.
    () => {
      const other = random.pick(["HS256", "RS256", "ES256", "ES384", "EdDSA"]);
      const text = encode({ ...draft, header: { ...header, alg: other } });
      const [otherHead = "", , sameSignature = ""] = text.split(".");
      return twin("key-curve", text, other === alg ? text : `${otherHead}.${body}.${flipped(sameSignature)}`);
    },
  ])();
}

function twin(row: string, text: string, judgedAs: string): TokenTwin {
  return { row, text, judgedAs };
}

/** As long, since Envoy's answer to blanks in a token depends on its length. */
function noJson(text: string): string {
  return segment(text.replace(/\}$/, "]"));
}

function flipped(signature: string): string {
  return (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
}

/** The same bytes by another text where the last character has bits to spare, else other bytes. */
function strayBits(signature: string): string {
  if (signature.length % 4 === 0) return flipped(signature);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return signature.slice(0, -1) + alphabet.charAt(alphabet.indexOf(signature.slice(-1)) ^ 1);
}
