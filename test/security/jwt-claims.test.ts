import { describe, expect } from "vitest";
import { claimStatuses, same, tokenServer, tokenStatuses } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { authorizationPolicy, forgeMembers, GRP } from "./token-forge.ts";

const attack = attacksAt("token");

describe("claims as policies see them", () => {
  securityTest(
    attack("E20", "C", {
      source: "prototype pollution",
      title: "claims under `__proto__`",
      outcome: "403; nothing is inherited",
    }),
    async () => {
      const members = [
        ',"__proto__":{"groups":["group1"]}',
        ',"constructor":{"prototype":{"groups":"group1"}}',
        ',"__proto__":["group1"]',
      ];
      expect(await tokenStatuses(await tokenServer(GRP), members.map(forgeMembers))).toEqual(same(403, members));
      expect(Object.hasOwn(Object.prototype, "groups")).toBe(false);
    },
  );

  securityTest(
    attack("E21", "C", {
      source: "inherited members",
      title: "policy keys that name members of JavaScript objects",
      outcome: "403 unless the token itself holds the claim",
    }),
    async () => {
      const keys = ["constructor][name", "__proto__", "toString", "groups][length", "groups][0", "hasOwnProperty"];
      for (const key of keys) {
        const rules = ["Object", "Array", "1", "group1", "g", "*"].map((value) => `"${value}"`).join();
        const harness = await tokenServer(
          authorizationPolicy("p", `rules: [{ when: [{ key: "request.auth.claims[${key}]", values: [${rules}] }] }]`),
        );
        expect(await claimStatuses(harness, [{ groups: ["group1"] }, { groups: "group1" }]), key).toEqual([403, 403]);
      }
      const own = authorizationPolicy(
        "p",
        'rules: [{ when: [{ key: "request.auth.claims[constructor][name]", values: ["a"] }] }]',
      );
      expect(await claimStatuses(await tokenServer(own), [{ constructor: { name: "a" } }])).toEqual([200]);
    },
  );

  securityTest(
    attack("E22", "M", {
      source: "parity",
      title: "shapes of a list claim",
      outcome: "only the text itself or a list that holds it",
    }),
    async () => {
      const matching = ["group1", ["group1"], [1, "group1"]];
      const others = [
        ...[
          "group1 group2",
          ["group1 group2"],
          "group1,group2",
          [["group1"]],
          [1],
          { group1: 1 },
          "GROUP1",
          [],
          "",
          null,
        ],
        ...[" group1", "group1 ", "group", "group11", { 0: "group1" }, true],
      ];
      const harness = await tokenServer(GRP);
      expect(
        await claimStatuses(
          harness,
          [...matching, ...others].map((groups) => ({ groups })),
        ),
      ).toEqual([...same(200, matching), ...same(403, others)]);
    },
  );

  securityTest(
    attack("E23", "M", {
      source: "claim names",
      title: "dots, brackets, blanks, other alphabets in claim names",
      outcome: "a name in brackets is literal; only brackets nest",
    }),
    async () => {
      const policy = (name: string) =>
        authorizationPolicy("p", `rules: [{ when: [{ key: "request.auth.claims[${name}]", values: ["v"] }] }]`);
      const rows = [
        ["a.b", { "a.b": "v" }, { a: { b: "v" } }],
        ["a][b", { a: { b: "v" } }, { "a.b": "v" }],
        ["a b", { "a b": "v" }, { a: "v" }],
        ["é", { é: "v" }, { "e\u0301": "v" }],
        ["https://x/y", { "https://x/y": "v" }, { "https:": "v" }],
      ] as const;
      for (const [name, own, other] of rows) {
        expect(await claimStatuses(await tokenServer(policy(name)), [own, other]), name).toEqual([200, 403]);
      }
      expect(await claimStatuses(await tokenServer(policy("")), [{ "": "v" }])).toEqual([403]);
    },
  );

  securityTest(
    attack("E24", "M", {
      source: "parity",
      title: "numbers, booleans and null against texts and *",
      outcome: "only texts match; * is a text that is not empty, or a list with one",
    }),
    async () => {
      const when = (values: string) =>
        authorizationPolicy("p", `rules: [{ when: [{ key: "request.auth.claims[c]", values: ${values} }] }]`);
      const values = [1, true, [1], [true], null, {}].map((c) => ({ c }));
      expect(await claimStatuses(await tokenServer(when('["1", "true", "null"]')), values)).toEqual(same(403, values));
      expect(await claimStatuses(await tokenServer(when('["*"]')), values)).toEqual(same(403, values));
      const any = [{ c: "x" }, { c: ["x"] }, { c: "" }, { c: [""] }, { c: [] }, {}];
      expect(await claimStatuses(await tokenServer(when('["*"]')), any)).toEqual([200, 200, 403, 403, 403, 403]);
    },
  );

  securityTest(
    attack("E25", "M", {
      source: "numbers of 54 bits and more",
      title: "a number that a double can't hold, copied to a header",
      outcome: "rounded as Envoy does",
    }),
    async () => {
      const harness = await tokenServer("", "      outputClaimToHeaders: [{ header: x-n, claim: n }]");
      const answer = await harness.check({ token: forgeMembers(',"n":9007199254740993') });
      expect(answer.set.get("x-n")).toBe("9007199254740992");
    },
  );

  securityTest(
    attack("E27", "M", {
      source: "text comparison",
      title: "NUL, line separators, writing direction, composed letters",
      outcome: "equal only byte for byte",
    }),
    async () => {
      const when = 'rules: [{ when: [{ key: "request.auth.claims[c]", values: ["é"] }] }]';
      const values = ["e\u0301", "é\u0000", "\u0000é", "é\u2028", "\u202eé", "É", "é ", "\u00e9\ufe0f", "é"];
      const harness = await tokenServer(authorizationPolicy("p", when));
      const outcome = await claimStatuses(
        harness,
        values.map((c) => ({ c })),
      );
      expect(outcome).toEqual([...same(403, values.slice(1)), 200]);
    },
  );

  securityTest(
    attack("E28", "M", {
      source: "parity",
      title: "scope as a list of words",
      outcome: "split at U+0020 only, and only scope, permission and spaceDelimitedClaims",
    }),
    async () => {
      const policy = (key: string) =>
        authorizationPolicy("p", `rules: [{ when: [{ key: "request.auth.claims[${key}]", values: ["r"] }] }]`);
      const values = ["r w", "w  r", "r", ["r"], ["r w"], "r,w", "w\tr", "w\u00a0r", "rw"];
      const expected = [200, 200, 200, 200, 403, 403, 403, 403, 403];
      for (const key of ["scope", "permission", "mine"]) {
        const harness = await tokenServer(policy(key), "      spaceDelimitedClaims: [mine]");
        const claims = values.map((value) => ({ [key]: value }));
        expect(await claimStatuses(harness, claims), key).toEqual(expected);
      }
      expect(await claimStatuses(await tokenServer(policy("other")), [{ other: "r w" }])).toEqual([403]);
    },
  );
});
