import type { PolicyObject } from "../policy-set.ts";
import type { AuthorizationSpec, ConditionSpec, Fields, RuleSpec } from "./spec.ts";
import { type Config, claimMatcher, stringMatcher } from "./string-matcher.ts";

/** An AuthorizationPolicy with its spec as the oracle reads it. */
export interface Authorization {
  readonly object: PolicyObject;
  readonly spec: AuthorizationSpec;
}

/** One rbac filter an action, in Istio's order AUDIT, DENY, ALLOW; rules of all policies of an action are OR-ed. */
export function rbacFilters(policies: readonly Authorization[]): readonly Config[] {
  const enforced = policies.filter(({ object }) => object.metadata.annotations?.["istio.io/dry-run"] !== "true");
  return (["AUDIT", "DENY", "ALLOW"] as const).flatMap((action) => {
    const ofAction = enforced.filter(({ spec }) => spec.action === action);
    return ofAction.length === 0 ? [] : [rbacFilter(action, ofAction)];
  });
}

function rbacFilter(action: AuthorizationSpec["action"], policies: readonly Authorization[]): Config {
  const isNarrowing = action !== "ALLOW";
  const entries = policies.flatMap(({ object, spec }) =>
    (spec.rules ?? []).map((rule, index): readonly [string, Config] => [
      `ns[${object.metadata.namespace}]-policy[${object.metadata.name}]-rule[${index}]`,
      policy(rule, isNarrowing),
    ]),
  );
  return {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      // An ALLOW filter without rules denies everything.
      rules: { action: action === "AUDIT" ? "LOG" : action, policies: Object.fromEntries(entries) },
    },
  };
}

/** rule = (OR of from) AND (OR of to) AND (AND of when). */
function policy(rule: RuleSpec, isNarrowing: boolean): Config {
  const when = (rule.when ?? []).map(toFieldMatch);
  const permissions = rule.to?.map(({ operation }) => fieldsOf(operation, isNarrowing)) ?? [[]];
  const principals = rule.from?.map(({ source }) => fieldsOf(source, isNarrowing)) ?? [[]];
  const ofPermissions = when.filter(({ kind }) => kind === "permission");
  const ofPrincipals = when.filter(({ kind }) => kind === "principal");
  return {
    permissions: permissions.map((fields) => allOf("rules", [...fields, ...ofPermissions])),
    principals: principals.map((fields) => allOf("ids", [...fields, ...ofPrincipals])),
  };
}

/** One field or condition: OR of values AND NOT OR of notValues. */
interface FieldMatch {
  readonly kind: "permission" | "principal";
  readonly values: readonly Config[];
  readonly notValues: readonly Config[];
}

function allOf(key: "rules" | "ids", fields: readonly FieldMatch[]): Config {
  const not = key === "rules" ? "not_rule" : "not_id";
  const parts = fields.flatMap(({ values, notValues }) => [
    ...(values.length > 0 ? [{ [`or_${key}`]: { [key]: values } }] : []),
    ...(notValues.length > 0 ? [{ [not]: { [`or_${key}`]: { [key]: notValues } } }] : []),
  ]);
  return parts.length === 0 ? { any: true } : { [`and_${key}`]: { [key]: parts } };
}

function fieldsOf(fields: Fields, isNarrowing: boolean): readonly FieldMatch[] {
  return Object.entries(fields).map(([name, list]) => {
    const isNot = name.startsWith("not");
    const positive = isNot ? name.charAt(3).toLowerCase() + name.slice(4) : name;
    // docs/differences.md path-template: wide where a match takes access away.
    const { kind, matcher } = fieldMatcher(positive, isNarrowing !== isNot);
    const matchers = list.map(matcher);
    return { kind, values: isNot ? [] : matchers, notValues: isNot ? matchers : [] };
  });
}

interface FieldMatcher {
  readonly kind: FieldMatch["kind"];
  readonly matcher: (value: string) => Config;
}

function fieldMatcher(name: string, wideTemplates: boolean): FieldMatcher {
  const source = SOURCE_FIELDS[name];
  if (source !== undefined) return { kind: "principal", matcher: source };
  const operation = OPERATION_FIELDS[name];
  if (operation !== undefined) return { kind: "permission", matcher: operation };
  if (name === "paths") return { kind: "permission", matcher: (value) => pathPermission(value, wideTemplates) };
  throw new Error(`the oracle does not know the field ${name}`);
}

type Matchers = Readonly<Record<string, (value: string) => Config>>;

// Without TLS there is no peer identity, so its fields never match, whatever the pattern.
const peer = (value: string): Config => ({ authenticated: { principal_name: stringMatcher(value) } });

// Istio writes direct_remote_ip, which looks through a PROXY protocol header; here that header stands for the peer.
function peerAddress(value: string): Config {
  return { source_ip: cidr(value) };
}

const SOURCE_FIELDS: Matchers = {
  principals: peer,
  namespaces: peer,
  serviceAccounts: peer,
  ipBlocks: peerAddress,
  remoteIpBlocks: (value) => ({ remote_ip: cidr(value) }),
  requestPrincipals: requestPrincipal,
};

const OPERATION_FIELDS: Matchers = {
  hosts: (value) => header(":authority", value, true),
  methods: (value) => header(":method", value),
  ports: (value) => ({ destination_port: Number(value) }),
};

function header(name: string, value: string, ignoreCase = false): Config {
  if (value === "*") return { header: { name, present_match: true } };
  return { header: { name, string_match: stringMatcher(value, ignoreCase) } };
}

function pathPermission(value: string, wide: boolean): Config {
  if (!/\{\*\*?\}/.test(value)) return { url_path: { path: stringMatcher(value) } };
  if (wide) return { url_path: { path: { safe_regex: { regex: wideTemplate(value) } } } };
  return {
    uri_template: {
      name: "uri-template",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        path_template: value.replaceAll("{**}", "**").replaceAll("{*}", "*"),
      },
    },
  };
}

function wideTemplate(template: string): string {
  const operators: Readonly<Record<string, string>> = { "{*}": "[^/]+", "{**}": "(?s:.*)" };
  const parts = template.split(/(\{\*\*?\})/);
  return parts.map((part) => operators[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("");
}

function cidr(value: string): Config {
  const [address, length] = value.split("/");
  return { address_prefix: address, prefix_len: Number(length ?? (value.includes(":") ? 128 : 32)) };
}

/** Split at the last slash into issuer and subject, with Istio's quirks where a star stands in front. */
function requestPrincipal(value: string): Config {
  const slash = value.lastIndexOf("/");
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? "" : value.slice(slash + 1);
  if (value === "*") return issuerAndSubject("*", "*");
  if (value.startsWith("*")) {
    if (slash < 0) return issuerAndSubject("*", value);
    return issuerAndSubject(issuer, subject, true);
  }
  if (slash < 0 && value.endsWith("*")) return issuerAndSubject(value, "*");
  return issuerAndSubject(issuer, subject);
}

function issuerAndSubject(issuer: string, subject: string, isLiteralSubject = false): Config {
  const subjectMatcher = isLiteralSubject ? { exact: subject } : stringMatcher(subject);
  return { and_ids: { ids: [plainClaim("iss", stringMatcher(issuer)), plainClaim("sub", subjectMatcher)] } };
}

function plainClaim(name: string, matcher: Config): Config {
  const path = [{ key: "payload" }, { key: name }];
  return inMetadata({ filter: "envoy.filters.http.jwt_authn", path, value: { string_match: matcher } });
}

function inMetadata(matcher: Config): Config {
  return { sourced_metadata: { metadata_matcher: matcher } };
}

function toFieldMatch({ key, values = [], notValues = [] }: ConditionSpec): FieldMatch {
  const { kind, matcher } = conditionMatcher(key);
  return { kind, values: values.map(matcher), notValues: notValues.map(matcher) };
}

function conditionMatcher(key: string): FieldMatcher {
  const headerName = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (headerName !== undefined) return { kind: "principal", matcher: (value) => header(headerName, value) };
  const claims = /^request\.auth\.claims(\[.+\])$/.exec(key)?.[1];
  if (claims !== undefined) return claim(claimPath(claims));
  const other = CONDITIONS[key];
  if (other === undefined) throw new Error(`the oracle does not know the condition ${key}`);
  return other;
}

/** `[a][b]` is the path a, b. */
function claimPath(text: string): readonly string[] {
  return text.slice(1, -1).split("][");
}

function claim(path: readonly string[]): FieldMatcher {
  return { kind: "principal", matcher: (value) => inMetadata(claimMatcher(path, stringMatcher(value))) };
}

const CONDITIONS: Readonly<Record<string, FieldMatcher>> = {
  "source.ip": { kind: "principal", matcher: peerAddress },
  "remote.ip": { kind: "principal", matcher: (value) => ({ remote_ip: cidr(value) }) },
  "source.principal": { kind: "principal", matcher: peer },
  "source.namespace": { kind: "principal", matcher: peer },
  "destination.ip": { kind: "permission", matcher: (value) => ({ destination_ip: cidr(value) }) },
  "destination.port": { kind: "permission", matcher: (value) => ({ destination_port: Number(value) }) },
  "connection.sni": { kind: "permission", matcher: (value) => ({ requested_server_name: stringMatcher(value) }) },
  "request.auth.principal": { kind: "principal", matcher: requestPrincipal },
  "request.auth.audiences": claim(["aud"]),
  "request.auth.presenter": claim(["azp"]),
};
