import type { AuthorizationSpec, ConditionSpec, Fields, RuleSpec } from "../oracle/spec.ts";
import { type PolicyObject, ROOT_NAMESPACE } from "../policy-set.ts";
import type { Random } from "../random.ts";
import {
  AUDIENCES,
  CLAIM_PATHS,
  HEADER_NAMES,
  HEADER_PATTERNS,
  HOST_PATTERNS,
  IP_BLOCKS,
  ISSUERS,
  METHOD_PATTERNS,
  PATH_PATTERNS,
  PATH_TEMPLATES,
  ROLES,
  SUBJECTS,
} from "./vocabulary.ts";

/** None to four AuthorizationPolicies; some of the root namespace, some dry-run. */
export function makeAuthorization(random: Random): readonly PolicyObject[] {
  const count = random.weighted([
    [2, 0],
    [4, 1],
    [4, 2],
    [2, 3],
    [1, 4],
  ]);
  return Array.from({ length: count }, (_, index) => makePolicy(random, index));
}

function makePolicy(random: Random, index: number): PolicyObject {
  const action = random.weighted<AuthorizationSpec["action"]>([
    [5, "ALLOW"],
    [5, "DENY"],
    [1, "AUDIT"],
  ]);
  // A DENY without rules is refused by validation; an ALLOW without denies everything, which would hide the rest.
  const isEmpty = action === "ALLOW" && random.chance(0.04);
  const rules = isEmpty ? [] : Array.from({ length: random.pick([1, 1, 2, 3]) }, () => makeRule(random, action));
  const isDryRun = action !== "AUDIT" && random.chance(0.06);
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: {
      name: `policy-${index}`,
      namespace: random.chance(0.15) ? ROOT_NAMESPACE : "foo",
      ...(isDryRun ? { annotations: { "istio.io/dry-run": "true" } } : {}),
    },
    spec: { selector: { matchLabels: { set: "foo" } }, action, ...(isEmpty ? {} : { rules }) },
  };
}

function makeRule(random: Random, action: AuthorizationSpec["action"]): RuleSpec {
  // Few conditions, or nothing would ever match.
  const parts = random.some(["from", "to", "when"], action === "ALLOW" && random.chance(0.1) ? 0 : 1, 2);
  return {
    ...(parts.includes("from") ? { from: list(random, () => ({ source: someFields(random, SOURCE_FIELDS) })) } : {}),
    ...(parts.includes("to") ? { to: list(random, () => ({ operation: someFields(random, OPERATION_FIELDS) })) } : {}),
    ...(parts.includes("when") ? { when: list(random, () => makeCondition(random)) } : {}),
  };
}

function list<T>(random: Random, make: () => T): readonly T[] {
  return Array.from({ length: random.pick([1, 1, 1, 2]) }, make);
}

type ValueMaker = (random: Random) => string;
type FieldMakers = readonly (readonly [weight: number, field: readonly [name: string, value: ValueMaker]])[];

const OPERATION_FIELDS: FieldMakers = [
  [6, ["paths", (random) => random.pick(random.chance(0.25) ? PATH_TEMPLATES : PATH_PATTERNS)]],
  [3, ["methods", (random) => random.pick(METHOD_PATTERNS)]],
  [3, ["hosts", (random) => random.pick(HOST_PATTERNS)]],
  [2, ["ports", (random) => random.pick(["8080", "9090", "80"])]],
];

const SOURCE_FIELDS: FieldMakers = [
  [6, ["requestPrincipals", requestPrincipal]],
  [2, ["ipBlocks", (random) => random.pick(IP_BLOCKS)]],
  [3, ["remoteIpBlocks", (random) => random.pick(IP_BLOCKS)]],
  [1, ["principals", (random) => random.pick(["*", "cluster.local/ns/foo/sa/web", "cluster.local/*"])]],
  [1, ["namespaces", (random) => random.pick(["foo", "*"])]],
];

function someFields(random: Random, makers: FieldMakers): Fields {
  const fields: Record<string, readonly string[]> = {};
  for (let made = random.pick([1, 1, 2]); made > 0; made--) {
    const [name, value] = random.weighted(makers);
    const isNot = random.chance(0.3);
    const key = isNot ? `not${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
    fields[key] = [...new Set(Array.from({ length: random.pick([1, 1, 2, 3]) }, () => value(random)))];
  }
  return fields;
}

function requestPrincipal(random: Random): string {
  const issuer = random.pick(ISSUERS);
  const subject = random.pick(SUBJECTS);
  return random.weighted([
    [4, "*"],
    [4, `${issuer}/${subject}`],
    [3, `${issuer}/*`],
    [2, `${issuer}/al*`],
    [2, `*/${subject}`],
    [1, `*${subject}`],
    [1, "*/*"],
    [1, `*.com/${subject}`],
    [1, `${issuer}*`],
    [1, "issuer*"],
    [1, issuer],
    [1, `*`],
    [1, `/`],
  ]);
}

function makeCondition(random: Random): ConditionSpec {
  const [key, value] = random.weighted<readonly [string, ValueMaker]>([
    [9, [claimKey(random), (r) => r.pick([...ROLES, "adm*", "*min", "*", "5", "a*"])]],
    [5, [`request.headers[${random.pick(HEADER_NAMES)}]`, (r) => r.pick(HEADER_PATTERNS)]],
    [1, ["request.headers[:path]", (r) => r.pick(["/admin*", "*"])]],
    [1, ["request.headers[host]", (r) => r.pick(["httpbin.example.com", "*"])]],
    [1, ["request.headers[authorization]", (r) => r.pick(["*", "Bearer *"])]],
    [1, ["request.headers[cookie]", (r) => r.pick(["*", "session=*", "a=b"])]],
    [2, ["request.auth.principal", requestPrincipal]],
    [2, ["request.auth.audiences", (r) => r.pick([...AUDIENCES, "*", "api*"])]],
    [1, ["request.auth.presenter", (r) => r.pick(["web", "mobile", "*"])]],
    [1, ["source.ip", (r) => r.pick(IP_BLOCKS)]],
    [2, ["remote.ip", (r) => r.pick(IP_BLOCKS)]],
    [1, ["destination.ip", (r) => r.pick(["127.0.0.1", "::1", "10.0.0.0/8"])]],
    [1, ["destination.port", (r) => r.pick(["8080", "9090"])]],
    [1, ["connection.sni", (r) => r.pick(["*", "x.example.com"])]],
    [1, ["source.principal", (r) => r.pick(["*", "cluster.local/ns/foo/sa/web"])]],
    [1, ["source.namespace", (r) => r.pick(["foo", "*"])]],
  ]);
  const sides = random.weighted<readonly ("values" | "notValues")[]>([
    [5, ["values"]],
    [3, ["notValues"]],
    [1, ["values", "notValues"]],
  ]);
  const made = sides.map(
    (side) => [side, Array.from({ length: random.pick([1, 1, 2]) }, () => value(random))] as const,
  );
  return { key, ...Object.fromEntries(made) };
}

function claimKey(random: Random): string {
  return `request.auth.claims${random
    .pick(CLAIM_PATHS)
    .map((name) => `[${name}]`)
    .join("")}`;
}
