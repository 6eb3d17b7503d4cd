import type { PolicyResource } from "@gatehouse/protos";
import { decodeResource } from "@gatehouse/protos/wire";
import { expect, it } from "vitest";
import { encodeResources } from "./encode-resource.ts";
import { authorizationPolicy, keySet, requestAuthentication } from "./testdata/resources.ts";

function roundTrip(resources: readonly PolicyResource[]): readonly PolicyResource[] {
  return encodeResources(resources).resources.map(({ bytes }) => decodeResource(bytes));
}

it("names and encodes the resources of one object", () => {
  const translated = [requestAuthentication("foo/a"), keySet("inline-1")];
  expect(encodeResources(translated)).toMatchObject({
    resources: [{ name: "RequestAuthentication/foo/a" }, { name: "KeySet//inline-1" }],
    problems: [],
  });
  expect(roundTrip(translated)).toEqual(translated);
});

it("gives a policy with a text that is no Unicode the form that denies, and leaves its neighbours", () => {
  const header = { attribute: "header", name: "\ud800", field: "", values: [], notValues: [] } as const;
  const odd = { ...authorizationPolicy("foo/odd"), rules: [{ index: 0, from: [], to: [], when: [header] }] };
  expect(encodeResources([odd]).problems).toEqual([expect.stringContaining("AuthorizationPolicy/foo/odd")]);
  const [marked, other] = roundTrip([odd, authorizationPolicy("foo/b")]);
  expect(marked).toMatchObject({ rules: [], meta: { unenforceable: expect.stringContaining("surrogate") } });
  expect(other).toEqual(authorizationPolicy("foo/b"));
});

it("keeps the scope of a RequestAuthentication that can't be encoded", () => {
  const whole = requestAuthentication("foo/odd");
  const odd = { ...whole, jwtRules: whole.jwtRules.map((rule) => ({ ...rule, issuer: "\ud800" })) };
  expect(roundTrip([odd])).toMatchObject([
    { target: whole.target, jwtRules: [{ issuer: "\ufffd", invalid: expect.stringMatching(/./) }] },
  ]);
});
