import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  authentication,
  authorizationPolicy,
  createJudge,
  isEnforced,
  type Judge,
  objectsOf,
  request,
  runs,
  type Spec,
  spec,
  specs,
  toObject,
} from "./policies.ts";
import { referenceAllows } from "./reference.ts";

const TIMEOUT_MS = 600_000;

let judge: Judge;
let uncached: Judge;
beforeAll(async () => {
  [judge, uncached] = await Promise.all([createJudge(), createJudge(0)]);
});

function isEnforcedAllow(one: Spec): boolean {
  return one.action === "ALLOW" && isEnforced(one);
}

const requests = fc.array(request, { minLength: 1, maxLength: 6 });

async function verdicts(
  policies: readonly object[],
  list: Parameters<Judge["allows"]>[0][],
  by: Judge = judge,
): Promise<readonly boolean[]> {
  await by.apply(policies);
  const answers: boolean[] = [];
  for (const one of list) answers.push(await by.allows(one));
  return answers;
}

test(
  "P2 one more DENY never allows more, one more ALLOW beside another never allows less",
  async () => {
    const input = fc.record({ specs, more: spec, requests });
    await fc.assert(
      fc.asyncProperty(input, async (given) => {
        const before = await verdicts(objectsOf(given.specs), given.requests);
        const after = await verdicts(objectsOf([...given.specs, given.more]), given.requests);
        for (const [i, wasAllowed] of before.entries()) {
          if (!isEnforced(given.more)) expect(after[i]).toBe(wasAllowed);
          else if (given.more.action === "DENY") expect(wasAllowed || !after[i]).toBe(true);
          else if (given.specs.some(isEnforcedAllow)) expect(!wasAllowed || after[i]).toBe(true);
        }
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

test(
  "P3 the order of policies, rules, headers and of an object's keys does not matter",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ specs, requests }), async (given) => {
        const before = await verdicts(objectsOf(given.specs), given.requests);
        const turned = given.specs.map((one): Spec => ({ ...one, rules: one.rules.toReversed() })).toReversed();
        const backwards = reverseKeys(objectsOf(turned).toReversed());
        if (!Array.isArray(backwards)) throw new Error("a list stays a list");
        // The last address of x-forwarded-for is the client: there the order is the meaning.
        const shuffled = given.requests.map((one) => ({
          ...one,
          headers: (one.headers ?? []).toSorted(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)),
        }));
        expect(await verdicts(backwards, shuffled)).toEqual(before);
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

test(
  "P4 names of policies and of the namespace do not matter",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ specs, requests }), async (given) => {
        const before = await verdicts(objectsOf(given.specs), given.requests);
        const elsewhere = [
          authentication("other"),
          ...given.specs.map((one, i) => toObject(`zz-${99 - i}`, one, "other")),
        ];
        const moved = given.requests.map((one) => ({ ...one, namespace: "other", labels: "version=v1,app=httpbin" }));
        expect(await verdicts(elsewhere, moved)).toEqual(before);
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

test(
  "P5 the same request under the same policy has the same verdict, cached or not, on any server",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ specs, requests }), async (given) => {
        const first = await verdicts(objectsOf(given.specs), [...given.requests, ...given.requests]);
        expect(first.slice(given.requests.length)).toEqual(first.slice(0, given.requests.length));
        expect(await verdicts(objectsOf(given.specs), given.requests, uncached)).toEqual(
          first.slice(0, given.requests.length),
        );
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

const broken = fc.constantFrom<object>(
  { action: "DENY", rules: [{ when: [{ key: "nonsense", values: ["x"] }] }] },
  { action: "ALLOW", rules: [{ to: [{ operation: { paths: ["/{**}/{*}"] } }] }] },
  { action: "DENY", rules: [{ from: [{ source: { ipBlocks: ["300.0.0.1"] } }] }] },
  { action: "NEVER", rules: [{}] },
  { rules: "text" },
  { rules: [null] },
  { action: "CUSTOM", provider: { name: "nobody" }, rules: [{}] },
  { unknown: true },
  { action: "DENY", rules: [{ to: [{ operation: { ports: ["x"] } }] }] },
);

test(
  "P6 a broken object changes nothing outside of its scope",
  async () => {
    const input = fc.record({ specs, requests, broken, isElsewhere: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(input, async (given) => {
        const before = await verdicts(objectsOf(given.specs), given.requests);
        const selector = given.isElsewhere ? {} : { selector: { matchLabels: { app: "another" } } };
        const bad = authorizationPolicy(
          "bad",
          { ...given.broken, ...selector },
          given.isElsewhere ? "elsewhere" : "foo",
        );
        expect(await verdicts([bad, ...objectsOf(given.specs)], given.requests)).toEqual(before);
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

test(
  "P6 a broken object in its scope never allows more",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ specs, requests, broken }), async (given) => {
        const before = await verdicts(objectsOf(given.specs), given.requests);
        const hasAllow = given.specs.some(isEnforcedAllow);
        const after = await verdicts(
          [authorizationPolicy("bad", given.broken), ...objectsOf(given.specs)],
          given.requests,
        );
        if (hasAllow) expect(before.filter((wasAllowed, i) => !wasAllowed && after[i])).toEqual([]);
      }),
      runs(500),
    );
  },
  TIMEOUT_MS,
);

test(
  "P8 the engine says what a naive reading of the documents says",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ specs, requests }), async (given) => {
        const expected = given.requests.map((one) => referenceAllows(given.specs, one));
        expect(await verdicts(objectsOf(given.specs), given.requests)).toEqual(expected);
      }),
      runs(3000),
    );
  },
  TIMEOUT_MS,
);

test(
  "P11 the engine says so of many policies, too",
  async () => {
    const many = fc.array(spec, { minLength: 10, maxLength: 40, size: "max" });
    const given = fc.record({ specs: many, requests: fc.array(request, { minLength: 4, maxLength: 12 }) });
    await fc.assert(
      fc.asyncProperty(given, async ({ specs: list, requests: asked }) => {
        // Mostly of one action: the first DENY that matches would settle the most.
        for (const action of ["ALLOW", "DENY"] as const) {
          const policies = list.filter((one) => one.action === action);
          const expected = asked.map((one) => referenceAllows(policies, one));
          expect(await verdicts(objectsOf(policies), asked)).toEqual(expected);
        }
      }),
      runs(300),
    );
  },
  TIMEOUT_MS,
);

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reverseKeys(member)]),
  );
}
