import { parseObject } from "@gatehouse/controller/resources";
import { describe, expect, it } from "vitest";

/** A spec in which something is so long, or is there so many times. */
interface Limit {
  readonly what: string;
  readonly most: number;
  readonly specOf: (size: number) => unknown;
  /** What is said when it is one more. */
  readonly error: string;
}

const ISSUER = { issuer: "https://idp.example" };

/** Of both kinds: which workloads a policy is for. */
const TARGETS: readonly Limit[] = [
  {
    what: "labels",
    most: 4096,
    specOf: (size) => selecting(Object.fromEntries(listOf(size, (i) => [`label-${i}`, "v"]))),
    error: "spec.selector.matchLabels: must have at most 4096 entries",
  },
  {
    what: "characters in the value of a label",
    most: 63,
    specOf: (size) => selecting({ app: "x".repeat(size) }),
    error: "spec.selector.matchLabels.app: must have at most 63 characters",
  },
  {
    what: "targetRefs",
    most: 16,
    specOf: (size) => ({ targetRefs: listOf(size, (i) => ({ kind: "Service", name: `s${i}` })) }),
    error: "spec.targetRefs: must have at most 16 entries",
  },
  {
    what: "characters in the name of a target",
    most: 253,
    specOf: (size) => ({ targetRefs: [{ kind: "Service", name: "x".repeat(size) }] }),
    error: "spec.targetRefs[0].name: must have at most 253 characters",
  },
];

const OF_AUTHORIZATION_POLICIES: readonly Limit[] = [
  {
    what: "rules",
    most: 512,
    specOf: (size) => ({ rules: listOf(size, () => ({})) }),
    error: "spec.rules: must have at most 512 entries",
  },
  {
    what: "entries of from",
    most: 512,
    specOf: (size) => ({ rules: [{ from: listOf(size, (i) => ({ source: { namespaces: [`n${i}`] } })) }] }),
    error: "spec.rules[0].from: must have at most 512 entries",
  },
  {
    what: "serviceAccounts",
    most: 16,
    specOf: (size) => ({ rules: [{ from: [{ source: { serviceAccounts: listOf(size, (i) => `a${i}`) } }] }] }),
    error: "spec.rules[0].from[0].source.serviceAccounts: must have at most 16 entries",
  },
  {
    what: "notServiceAccounts",
    most: 16,
    specOf: (size) => ({ rules: [{ from: [{ source: { notServiceAccounts: listOf(size, (i) => `a${i}`) } }] }] }),
    error: "spec.rules[0].from[0].source.notServiceAccounts: must have at most 16 entries",
  },
  {
    what: "characters of a service account",
    most: 320,
    specOf: (size) => ({ rules: [{ from: [{ source: { serviceAccounts: ["x".repeat(size)] } }] }] }),
    error: "spec.rules[0].from[0].source.serviceAccounts[0]: must have at most 320 characters",
  },
];

const OF_REQUEST_AUTHENTICATIONS: readonly Limit[] = [
  {
    what: "jwtRules",
    most: 4096,
    specOf: (size) => ({ jwtRules: listOf(size, () => ISSUER) }),
    error: "spec.jwtRules: must have at most 4096 entries",
  },
  {
    what: "characters of a jwksUri",
    most: 2048,
    specOf: (size) => ({ jwtRules: [{ ...ISSUER, jwksUri: "https://idp.example/".padEnd(size, "x") }] }),
    error: "spec.jwtRules[0].jwksUri: must have at most 2048 characters",
  },
  {
    what: "spaceDelimitedClaims",
    most: 64,
    specOf: (size) => ({ jwtRules: [{ ...ISSUER, spaceDelimitedClaims: listOf(size, (i) => `claim-${i}`) }] }),
    error: "spec.jwtRules[0].spaceDelimitedClaims: must have at most 64 entries",
  },
];

describe.each([
  ["AuthorizationPolicy", [...TARGETS, ...OF_AUTHORIZATION_POLICIES]],
  ["RequestAuthentication", [...TARGETS, ...OF_REQUEST_AUTHENTICATIONS]],
] as const)("an object of kind %s", (kind, limits) => {
  it.each(limits)("may have $most $what, and not one more", ({ most, specOf, error }) => {
    expect(errorsOf(kind, specOf(most))).toEqual([]);
    expect(errorsOf(kind, specOf(most + 1))).toEqual([error]);
  });
});

function errorsOf(kind: string, spec: unknown): readonly string[] {
  const metadata = { namespace: "foo", name: "example" };
  const parsed = parseObject({ apiVersion: "security.istio.io/v1", kind, metadata, spec });
  if (parsed.kind === "valid") return [];
  if (parsed.kind !== "invalid") throw new Error(parsed.kind);
  return parsed.object.errors.map(({ path, message }) => `${path}: ${message}`);
}

function selecting(matchLabels: unknown): unknown {
  return { selector: { matchLabels } };
}

function listOf<Item>(size: number, item: (i: number) => Item): readonly Item[] {
  return Array.from({ length: size }, (_, i) => item(i));
}
