import { describe, expect, it } from "vitest";
import { compilePeer, peerKeys } from "./peer-matcher.ts";
import { meshConfig } from "./testdata/mesh.ts";
import { TextIndex } from "./text-index.ts";

const mesh = meshConfig({ trustDomain: "td", trustDomainAliases: ["old-td"] });

describe("an identity fits", () => {
  it.each([
    ["sourcePrincipal", "x/ns/a/sa/b", "spiffe://x/ns/a/sa/b", true],
    ["sourcePrincipal", "x/ns/a/sa/b", "spiffe://x/ns/a/sa/b/c", false],
    ["sourcePrincipal", "x/ns/a/sa/b", "x/ns/a/sa/b", false],
    ["sourcePrincipal", "x/ns/a*", "spiffe://x/ns/abc", true],
    ["sourcePrincipal", "*/sa/b", "spiffe://any/ns/a/sa/b", true],
    ["sourcePrincipal", "*/sa/b", "other://any/ns/a/sa/b", false],
    ["sourcePrincipal", "*.b", "spiffe://xxb", false],
    ["sourcePrincipal", "*", "CN=client", true],
    ["sourcePrincipal", "td/ns/a/sa/b", "spiffe://old-td/ns/a/sa/b", true],
    ["sourcePrincipal", "cluster.local/ns/a/sa/b", "spiffe://td/ns/a/sa/b", true],
    ["sourcePrincipal", "cluster.local/ns/a/sa/b", "spiffe://cluster.local/ns/a/sa/b", false],
    ["sourcePrincipal", "*-td/ns/a/sa/b", "spiffe://td/ns/a/sa/b", true],
    ["sourcePrincipal", "td/ns/a", "spiffe://old-td/ns/a", false],
    ["sourceNamespace", "a", "spiffe://x/ns/a/sa/b", true],
    ["sourceNamespace", "a", "spiffe://x/ns/ab/sa/b", false],
    ["sourceNamespace", "a", "spiffe://x/ns/a", false],
    ["sourceNamespace", "a.b", "spiffe://x/ns/acb/sa/b", false],
    ["sourceNamespace", "a*c", "spiffe://x/ns/abc/sa/b", true],
    ["sourceServiceAccount", "a/b", "spiffe://x/ns/a/sa/b", true],
    ["sourceServiceAccount", "a/b", "spiffe://x/ns/a/sa/bc", false],
    ["sourceServiceAccount", "a/b", "spiffe://x/ns/a/more/sa/b/rest", true],
    ["sourceTrustDomain", "x", "spiffe://x/ns/a/sa/b", true],
    ["sourceTrustDomain", "x", "spiffe://xy/ns/a/sa/b", false],
    ["sourceTrustDomain", "td", "spiffe://old-td/ns/a/sa/b", true],
    ["sourceTrustDomain", "*.x", "spiffe://a.x/ns/a/sa/b", true],
    ["sourceTrustDomain", "*.x", "spiffe://a/.x/sa/b", false],
    ["sourceTrustDomain", "*", "spiffe://x/y", true],
    ["sourceTrustDomain", "*", "CN=client", false],
  ] as const)("%s %j %j: %s", (attribute, value, identity, expected) => {
    expect(compilePeer(attribute, [value], mesh)(identity)).toBe(expected);
  });

  it.each(["sourcePrincipal", "sourceNamespace", "sourceServiceAccount", "sourceTrustDomain"] as const)(
    "never without one: %s",
    (attribute) => {
      expect(compilePeer(attribute, ["*"], mesh)("")).toBe(false);
    },
  );

  it("one of several values", () => {
    const isOne = compilePeer("sourceNamespace", ["a", "b"], mesh);
    expect(["a", "b", "c"].map((name) => isOne(`spiffe://x/ns/${name}/sa/s`))).toEqual([true, true, false]);
  });
});

describe("an identity that fits is found by the keys of", () => {
  const identities = ["td", "old-td", "cluster.local", "x", "a.x"].flatMap((trustDomain) => [
    `spiffe://${trustDomain}/ns/a/sa/b`,
    `spiffe://${trustDomain}/ns/a`,
  ]);

  it.each([
    ["sourcePrincipal", "td/ns/a/sa/b"],
    ["sourcePrincipal", "old-td/ns/a/sa/b"],
    ["sourcePrincipal", "cluster.local/ns/a/sa/b"],
    ["sourcePrincipal", "*-td/ns/a/sa/b"],
    ["sourcePrincipal", "*td/ns/a/sa/b"],
    ["sourcePrincipal", "td/ns/a/sa/*"],
    ["sourcePrincipal", "cluster.local/ns/a/sa/*"],
    ["sourcePrincipal", "x/ns/a*"],
    ["sourcePrincipal", "*/sa/b"],
    ["sourceTrustDomain", "td"],
    ["sourceTrustDomain", "old-td"],
    ["sourceTrustDomain", "x"],
  ] as const)("%s %j", (attribute, value) => {
    const index = new TextIndex<string>();
    for (const key of peerKeys(attribute, [value], mesh) ?? []) if (key !== undefined) index.at(key, () => value);
    const isFound = (identity: string): boolean => {
      const found: string[] = [];
      index.collect(identity, found);
      return found.length > 0;
    };
    const fitting = identities.filter(compilePeer(attribute, [value], mesh));
    expect(fitting).not.toEqual([]);
    expect(fitting.filter(isFound)).toEqual(fitting);
  });
});
