import type { MeshConfig, PeerCondition } from "@gatehouse/protos";
import { compileAnyOf, compileRegex, type TextTest } from "./string-matcher.ts";
import type { TextKey } from "./text-index.ts";

const SPIFFE = "spiffe://";

/**
 * Tests the identity of the peer's certificate (`spiffe://trust-domain/ns/NAMESPACE/sa/ACCOUNT`) against the values of a policy.
 * Patterns are Istio's. @see https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
 */
export function compilePeer(
  attribute: PeerCondition["attribute"],
  values: readonly string[],
  mesh: MeshConfig,
): TextTest {
  const tests = compileAll(attribute, values, mesh);
  return (identity) => identity !== "" && tests.some((test) => test(identity));
}

/**
 * Patterns of identities: no other identity can pass the test of these values.
 * @returns undefined for values that have no such patterns
 */
export function peerKeys(
  attribute: PeerCondition["attribute"],
  values: readonly string[],
  mesh: MeshConfig,
): readonly (TextKey | undefined)[] | undefined {
  switch (attribute) {
    case "sourcePrincipal":
      return values.flatMap((value) => withAliases(value, mesh)).map(principalKey);
    case "sourceTrustDomain":
      return values.flatMap((value) => aliasesOf(value, mesh)).map(trustDomainKey);
    case "sourceNamespace":
    case "sourceServiceAccount":
      return undefined;
  }
}

function principalKey(value: string): TextKey | undefined {
  if (value === "*") return undefined;
  if (value.startsWith("*")) return { kind: "suffix", value: value.slice(1) };
  if (value.endsWith("*")) return { kind: "prefix", value: SPIFFE + value.slice(0, -1) };
  return { kind: "exact", value: SPIFFE + value };
}

function trustDomainKey(value: string): TextKey | undefined {
  return value.includes("*") ? undefined : { kind: "prefix", value: `${SPIFFE}${value}/` };
}

function compileAll(
  attribute: PeerCondition["attribute"],
  values: readonly string[],
  mesh: MeshConfig,
): readonly TextTest[] {
  switch (attribute) {
    case "sourcePrincipal":
      return values.flatMap((value) => withAliases(value, mesh)).map(compilePrincipal);
    case "sourceNamespace":
      return values.map((value) => compileRegex(`.*/ns/${quoteGlob(value, ".*")}/.*`));
    case "sourceServiceAccount":
      return values.map(compileServiceAccount);
    case "sourceTrustDomain":
      return values.flatMap((value) => aliasesOf(value, mesh)).map(compileTrustDomain);
  }
}

function compilePrincipal(value: string): TextTest {
  if (value === "*") return compileAnyOf([{ kind: "present" }], identity);
  if (value.startsWith("*")) return compileRegex(`${SPIFFE}.*${quote(value.slice(1))}`);
  if (value.endsWith("*")) return compileAnyOf([{ kind: "prefix", value: SPIFFE + value.slice(0, -1) }], identity);
  return compileAnyOf([{ kind: "exact", value: SPIFFE + value }], identity);
}

/** @param value `namespace/account` */
function compileServiceAccount(value: string): TextTest {
  const [namespace = "", account = ""] = value.split("/");
  return compileRegex(`${SPIFFE}.+/ns/${quote(namespace)}/(.+/|)sa/${quote(account)}(/.+)?`);
}

function compileTrustDomain(value: string): TextTest {
  if (value === "*") return (text) => text.startsWith(SPIFFE);
  if (!value.includes("*")) return (text) => text.startsWith(`${SPIFFE}${value}/`);
  return compileRegex(`${SPIFFE}${quoteGlob(value, "[^/]*")}/.*`);
}

/** A principal of our own trust domain (or of `cluster.local`, which always means ours) stands for all of its names. */
function withAliases(principal: string, mesh: MeshConfig): readonly string[] {
  const [trustDomain = "", ...rest] = principal.split("/");
  if (rest.length !== 4 || trustDomain === "*") return [principal];
  const ours = trustDomains(mesh);
  const isOurs =
    trustDomain === "cluster.local" ||
    (trustDomain.startsWith("*")
      ? ours.some((name) => name.endsWith(trustDomain.slice(1)))
      : ours.includes(trustDomain));
  return isOurs ? ours.map((name) => [name, ...rest].join("/")) : [principal];
}

function aliasesOf(trustDomain: string, mesh: MeshConfig): readonly string[] {
  const ours = trustDomains(mesh);
  return ours.includes(trustDomain) ? ours : [trustDomain];
}

function trustDomains(mesh: MeshConfig): readonly string[] {
  return [mesh.trustDomain, ...mesh.trustDomainAliases];
}

function quoteGlob(value: string, star: string): string {
  return value.split("*").map(quote).join(star);
}

function quote(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

function identity(text: string): string {
  return text;
}
