import type {
  AuthorizationMatch,
  AuthorizationPolicy,
  Condition,
  MeshConfig,
  PolicyRef,
  RequestPrincipalCondition,
  RequestPrincipalMatch,
  Rule,
} from "@gatehouse/protos";
import type { Claims } from "../authn/claims.ts";
import { isJsonList, type JsonValue } from "../authn/json.ts";
import type { RequestAttributes } from "../authz/attributes.ts";
import { asciiLowerCase, type HeaderLine, headerLineName, toByteString } from "../http-request.ts";
import { hostReadings } from "./host-readings.ts";
import { compileIpRanges } from "./ip-matcher.ts";
import { compilePaths } from "./path-matcher.ts";
import { compilePeer } from "./peer-matcher.ts";
import { Shared } from "./shared.ts";
import { compileAnyOf, compileOne, type TextTest } from "./string-matcher.ts";

/** A rule of a policy, ready to be asked. */
export interface PreparedRule {
  readonly ref: PolicyRef;
  /** Position in spec.rules. */
  readonly index: number;
  /** Among all rules of its set of policy: of several that match, the first is named as the one that decided. */
  readonly order: number;
  readonly matches: AttributeTest;
  /** What `matches` is composed of, to explain it. */
  readonly parts: RuleParts;
}

/** The tests of a rule: one of `from` (if there are any), one of `to` (if there are any), all of `when`. */
export interface RuleParts {
  /** Each entry is one `source`: all of its conditions must hold. */
  readonly from: readonly (readonly PreparedCondition[])[];
  /** Each entry is one `operation`: all of its conditions must hold. */
  readonly to: readonly (readonly PreparedCondition[])[];
  readonly when: readonly PreparedCondition[];
}

export interface PreparedCondition {
  /** Two with one id are the same; an id is never used again. */
  readonly id: number;
  readonly condition: Condition;
  readonly test: AttributeTest;
}

export type AttributeTest = (attributes: RequestAttributes) => boolean;

/** Compiles the rules of one policy. @param order of the first of them */
export function compileRules(policy: AuthorizationPolicy, mesh: MeshConfig, order: number): readonly PreparedRule[] {
  const ref: PolicyRef = { kind: policy.kind, namespace: policy.meta.namespace, name: policy.meta.name };
  const context: RuleContext = { mesh, isNarrowing: policy.action !== "ALLOW" };
  return policy.rules.map((rule, at) => {
    const parts = compileRule(rule, context);
    return { ref, index: rule.index, order: order + at, matches: parts.matches, parts };
  });
}

/** Whether the policy looks at single header lines, which Envoy hands over only with `encode_raw_headers`. */
export function needsRawHeaders(policy: AuthorizationPolicy): boolean {
  const isHeader = (condition: Condition): boolean => condition.attribute === "header";
  return policy.rules.some((rule) => rule.when.some(isHeader) || rule.from.some((source) => source.some(isHeader)));
}

interface RuleContext {
  readonly mesh: MeshConfig;
  /** DENY, CUSTOM and AUDIT: a match takes access away (or looks closer), so doubt is resolved towards a match. */
  readonly isNarrowing: boolean;
}

/** One object, so that whoever holds the parts holds what is shared. */
interface CompiledRule extends RuleParts {
  readonly matches: AttributeTest;
}

interface SharedOfMesh {
  readonly rules: Shared<CompiledRule>;
  readonly conditions: Shared<PreparedCondition>;
}

const sharedOfMeshes = new WeakMap<MeshConfig, SharedOfMesh>();

/** Equal rules and conditions are compiled and kept once. */
function sharedOf(mesh: MeshConfig): SharedOfMesh {
  let shared = sharedOfMeshes.get(mesh);
  if (shared === undefined) {
    shared = { rules: new Shared(), conditions: new Shared() };
    sharedOfMeshes.set(mesh, shared);
  }
  return shared;
}

function compileRule(rule: Rule, context: RuleContext): CompiledRule {
  const { rules, conditions } = sharedOf(context.mesh);
  const prepared = (condition: Condition): PreparedCondition =>
    conditions.get(JSON.stringify([context.isNarrowing, condition]), () => ({
      id: nextId++,
      condition,
      test: compileCondition(condition, context),
    }));
  const parts: RuleParts = {
    from: rule.from.map((source) => source.map(prepared)),
    to: rule.to.map((operation) => operation.map(prepared)),
    when: rule.when.map(prepared),
  };
  return rules.get(keyOfRule(parts), () => ({ ...parts, matches: composeRule(parts) }));
}

let nextId = 0;

function keyOfRule({ from, to, when }: RuleParts): string {
  const ids = (conditions: readonly PreparedCondition[]): readonly number[] => conditions.map(({ id }) => id);
  return JSON.stringify([from.map(ids), to.map(ids), ids(when)]);
}

/** The one test of a whole rule. Without any part, it holds for every request. */
export function composeRule({ from, to, when }: RuleParts): AttributeTest {
  return allOf([...anyOf(from), ...anyOf(to), ...when.map(({ test }) => test)]);
}

/** One test for the whole list, or none for an empty list. */
function anyOf(groups: readonly (readonly PreparedCondition[])[]): readonly AttributeTest[] {
  if (groups.length === 0) return [];
  const tests = groups.map((group) => allOf(group.map(({ test }) => test)));
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return [only];
  return [(attributes) => tests.some((test) => test(attributes))];
}

function allOf(tests: readonly AttributeTest[]): AttributeTest {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (attributes) => tests.every((test) => test(attributes));
}

function compileCondition(condition: Condition, context: RuleContext): AttributeTest {
  const isValue = condition.values.length > 0 ? compileValues(condition, "values", context) : undefined;
  const isNotValue = condition.notValues.length > 0 ? compileValues(condition, "notValues", context) : undefined;
  if (isNotValue === undefined) return isValue ?? (() => true);
  if (isValue === undefined) return (attributes) => !isNotValue(attributes);
  return (attributes) => isValue(attributes) && !isNotValue(attributes);
}

type Side = "values" | "notValues";

/** The test that one of the values matches. */
function compileValues(condition: Condition, side: Side, { mesh, isNarrowing }: RuleContext): AttributeTest {
  switch (condition.attribute) {
    case "header":
      return compileHeader(condition.name, condition[side]);
    case "host": {
      const test = compileHost(condition[side], mesh.strictPaths && isNarrowing === (side === "values"));
      return ({ request }) => test(asciiLowerCase(request.host));
    }
    case "method": {
      const test = compileAnyOf(condition[side], toByteString);
      return ({ request }) => test(request.method);
    }
    case "sni": {
      const test = compileAnyOf(condition[side], toByteString);
      return ({ request }) => test(request.sni);
    }
    case "path": {
      // A template of a DENY, and of `notPaths` in an ALLOW, must not be evaded by a byte outside Istio's character class.
      const test = compilePaths(condition[side], isNarrowing === (side === "values"));
      return ({ path }) => test(path);
    }
    case "sourceIp": {
      const test = compileIpRanges(condition[side], isNarrowing === (side === "values"));
      return ({ request }) => test(request.source.address);
    }
    case "remoteIp": {
      const test = compileIpRanges(condition[side], isNarrowing === (side === "values"));
      return ({ remoteAddress }) => test(remoteAddress);
    }
    case "destinationIp": {
      const test = compileIpRanges(condition[side], isNarrowing === (side === "values"));
      return ({ request }) => test(request.destination.address);
    }
    case "destinationPort": {
      const ports = new Set(condition[side]);
      return ({ request }) => ports.has(request.destination.port);
    }
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain": {
      const test = compilePeer(condition.attribute, condition[side], mesh);
      // A peer without certificate may be anybody: under `strictPaths` it is no "everybody but" that an ALLOW lets in.
      const isUnknownListed = mesh.strictPaths && !isNarrowing && side === "notValues";
      return ({ request }) => test(request.source.principal) || (isUnknownListed && request.source.principal === "");
    }
    case "requestPrincipal":
      return compileRequestPrincipals(condition, side);
    case "claim": {
      const { path } = condition;
      const test = compileAnyOf(condition[side], asIs);
      return ({ claims }) => claims?.matches(path, test) ?? false;
    }
    case "filterMetadata": {
      const { filter, key } = condition;
      const tests = condition[side].map(({ list, match }) => ({ list, test: compileOne(match, asIs) }));
      return ({ request }) => {
        const value = request.filterMetadata(filter, key);
        return tests.some(({ list, test }) =>
          list ? listMatches(value, test) : typeof value === "string" && test(value),
        );
      };
    }
  }
}

/** `present` is the presence of the header, even an empty one; other values are compared with each line by itself. */
function compileHeader(name: string, matches: readonly AuthorizationMatch[]): AttributeTest {
  const isPresence = matches.some((match) => match.kind === "present");
  const test = compileAnyOf(matches, toByteString);
  const lineName = headerLineName(name);
  const fits = (line: HeaderLine): boolean => line.name === lineName && (isPresence || test(line.value));
  return ({ headers }) => headers.some(fits);
}

/**
 * Hosts are compared without regard to case; `*` is any host that is given.
 * @param wide a host fits if an upstream might read it as one that does
 */
function compileHost(matches: readonly AuthorizationMatch[], wide: boolean): TextTest {
  if (matches.some((match) => match.kind === "present")) return () => true;
  const test = compileAnyOf(matches, (host) => asciiLowerCase(toByteString(host)));
  return wide ? (host) => hostReadings(host).some(test) : test;
}

function compileRequestPrincipals(condition: RequestPrincipalCondition, side: Side): AttributeTest {
  const tests = condition[side].map(compileRequestPrincipal);
  return ({ claims }) => claims !== null && tests.some((test) => test(claims));
}

function compileRequestPrincipal({ issuer, subject }: RequestPrincipalMatch): (claims: Claims) => boolean {
  const isIssuer = compileOne(issuer, asIs);
  const isSubject = compileOne(subject, asIs);
  return (claims) => {
    const iss = claims.text("iss");
    const sub = claims.text("sub");
    return iss !== undefined && sub !== undefined && isIssuer(iss) && isSubject(sub);
  };
}

function listMatches(value: JsonValue | undefined, test: TextTest): boolean {
  return isJsonList(value) && value.some((element) => typeof element === "string" && test(element));
}

// Claims are texts, not bytes: both sides were decoded from UTF-8.
function asIs(text: string): string {
  return text;
}
