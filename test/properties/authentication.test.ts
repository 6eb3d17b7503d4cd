import fc from "fast-check";
import { expect, test } from "vitest";
import { type CheckInput, createCheckHarness } from "../support/check-harness.ts";
import { mintToken, publicJwks } from "../support/jwt.ts";
import {
  type Placed,
  type RequestModel,
  type RuleModel,
  referenceAuthenticates,
  type TokenModel,
} from "./authentication-reference.ts";
import { runs } from "./policies.ts";

const TIMEOUT_MS = 600_000;

const issuer = fc.constantFrom("a", "b", "c");
const audience = fc.constantFrom(null, null, "x", "y");
// One prefix for each name: what a line with another prefix holds is a matter of `token-locations`.
const header = fc.constantFrom(
  { name: "authorization", prefix: "Bearer " },
  { name: "x-token", prefix: "" },
  { name: "x-auth", prefix: "Token " },
);
const param = fc.constantFrom("access_token", "token");
const cookie = fc.constantFrom("session", "jwt");

const locations = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ headers: [], params: [], cookies: [] }) },
  {
    weight: 3,
    arbitrary: fc.record({
      headers: fc.uniqueArray(header, { maxLength: 2, selector: ({ name }) => name }),
      params: fc.uniqueArray(param, { maxLength: 1 }),
      cookies: fc.uniqueArray(cookie, { maxLength: 1 }),
    }),
  },
);
const rule: fc.Arbitrary<RuleModel> = fc
  .tuple(fc.record({ issuer, audience, keepsToken: fc.boolean() }), locations)
  .map(([one, where]) => ({ ...one, ...where }));
// Rules that all look at the same places are found by issuer.
const rules = fc.oneof(
  fc.array(rule, { minLength: 1, maxLength: 4 }),
  fc
    .tuple(fc.array(rule, { minLength: 4, maxLength: 6 }), locations)
    .map(([list, where]) => list.map((one) => ({ ...one, ...where }))),
);

const token: fc.Arbitrary<TokenModel> = fc.record({
  kind: fc.constantFrom("good", "good", "good", "expired", "forged", "text"),
  issuer: fc.constantFrom("a", "b", "c", "d"),
  audience: fc.constantFrom(null, "x"),
  who: fc.constantFrom("1", "2"),
});
const placed = <Value>(place: fc.Arbitrary<Value>, nameOf: (value: Value) => Omit<Placed, "token">) =>
  fc.tuple(place, token).map(([value, one]): Placed => ({ ...nameOf(value), token: one }));
const byName = { selector: ({ name }: Placed) => name };
const request: fc.Arbitrary<RequestModel> = fc.record({
  // Envoy joins lines of `authorization`; those of other headers stay apart.
  headers: fc
    .array(
      placed(header, (value) => value),
      { maxLength: 3 },
    )
    .map((list) =>
      list.filter(({ name }, i) => name !== "authorization" || list.findIndex((line) => line.name === name) === i),
    ),
  params: fc.uniqueArray(
    placed(param, (name) => ({ name, prefix: "" })),
    { maxLength: 2, ...byName },
  ),
  cookies: fc.uniqueArray(
    placed(cookie, (name) => ({ name, prefix: "" })),
    { maxLength: 2, ...byName },
  ),
});

test(
  "P12 of several issuers and places, who is believed and what is taken away is what the documents say, step by step",
  async () => {
    const server = await createCheckHarness({ policies: "", nowMs: () => 1_800_000_000_000 });
    let believed = 0;
    let refused = 0;
    const given = fc.record({ rules, requests: fc.array(request, { minLength: 1, maxLength: 8 }) });
    await fc.assert(
      fc.asyncProperty(given, async (input) => {
        await server.apply([authentication(input.rules)]);
        for (const one of input.requests) {
          const expected = referenceAuthenticates(input.rules, one);
          const answer = await server.check(await toCheck(one));
          expect(answer.code === 0 ? null : answer.body).toBe(expected.failure);
          believed += Number(expected.who.length > 0 && expected.failure === null);
          refused += Number(expected.failure !== null);
          if (expected.failure !== null) continue;
          expect(answer.set.get("x-who") ?? "").toBe(expected.who.join(","));
          const gone = new Set(
            one.headers.filter((line) => !expected.left.headers.includes(line)).map(({ name }) => name),
          );
          expect(answer.removed.toSorted()).toEqual([...gone].toSorted());
          const query = one.params.filter((place) => expected.left.params.includes(place));
          expect(answer.set.get(":path") ?? (await pathOf(one.params))).toBe(await pathOf(query));
        }
      }),
      runs(500),
    );
    expect(Math.min(believed, refused)).toBeGreaterThan(50);
  },
  TIMEOUT_MS,
);

function authentication(list: readonly RuleModel[]): object {
  const jwtRules = list.map(({ issuer: of, audience: wanted, keepsToken, headers, params, cookies }) => ({
    issuer: of,
    jwks: publicJwks("ec-p256"),
    ...(wanted === null ? {} : { audiences: [wanted] }),
    forwardOriginalToken: keepsToken,
    ...(headers.length === 0 ? {} : { fromHeaders: headers }),
    ...(params.length === 0 ? {} : { fromParams: params }),
    ...(cookies.length === 0 ? {} : { fromCookies: cookies }),
    outputClaimToHeaders: [{ header: "x-who", claim: "who" }],
  }));
  return {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "ra", namespace: "foo" },
    spec: { jwtRules },
  };
}

async function toCheck({ headers, params, cookies }: RequestModel): Promise<CheckInput> {
  const lines: [string, string][] = [];
  for (const { name, prefix, token: one } of headers) lines.push([name, prefix + (await textOf(one))]);
  const pairs = await Promise.all(cookies.map(async ({ name, token: one }) => `${name}=${await textOf(one)}`));
  if (pairs.length > 0) lines.push(["cookie", pairs.join("; ")]);
  return { path: await pathOf(params), headers: lines };
}

async function pathOf(params: RequestModel["params"]): Promise<string> {
  const pairs = await Promise.all(params.map(async ({ name, token: one }) => `${name}=${await textOf(one)}`));
  return pairs.length === 0 ? "/p" : `/p?${pairs.join("&")}`;
}

const texts = new Map<string, Promise<string>>();

/** The same text for equal tokens. */
function textOf(one: TokenModel): Promise<string> {
  const key = JSON.stringify(one);
  const text = texts.get(key) ?? sign(one);
  texts.set(key, text);
  return text;
}

function sign({ kind, issuer: iss, audience: aud, who }: TokenModel): Promise<string> {
  if (kind === "text") return Promise.resolve(`no-token-${who}`);
  const exp = kind === "expired" ? 1_700_000_000 : 1_900_000_000;
  const claims = { iss, sub: "s", exp, who, ...(aud === null ? {} : { aud }) };
  // A forged one names the key and is signed with another.
  return kind === "forged"
    ? mintToken(claims, { alg: "RS256", kid: "ec-p256" })
    : mintToken(claims, { alg: "ES256", key: "ec-p256" });
}
