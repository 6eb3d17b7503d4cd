import { describe, expect } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { all, pathStatuses, SERVER_MODES } from "./fixtures/check.ts";
import { authorization, type Fixture, manifests, TPL, to } from "./fixtures/policies.ts";
import { spellingTests } from "./fixtures/spellings.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);
const templateTest = spellingTests((path) => ({ path }));

describe("paths against a template", () => {
  templateTest(
    attack("A17", "C", {
      source: "CVE-2025-46821",
      title: "no byte but the slash leaves a template of a DENY",
      outcome: "deny",
    }),
    [TPL, 403, ["/files/a*b", "/files/*", "/files/[x]", "/files/a|b", '/files/a"b', "/files/a b", "/files/é"]],
    [TPL, 403, ["/v1/*/secret"]],
  );

  templateTest(
    attack("A18", "M", {
      mode: ["exact"],
      source: "Envoy's URI template matcher",
      title: "a template matches as many segments as it says",
      outcome: "as Envoy",
    }),
    [TPL, 200, ["/v1//secret", "/v1/a/b/secret", "/v1/a/secret/", "/files"]],
    [TPL, 403, ["/v1/a%2Fb/secret", "/files/", "/files//a", "/v1/a/secret"]],
  );
});

describe("the template itself", () => {
  securityTest(
    attack("A19", "M", {
      level: "policy",
      source: "Istio's validation of path templates",
      title: "a path template that means nothing is reported and fails closed",
      outcome: "Accepted=False, deny in its scope",
    }),
    async () => {
      for (const path of ["/{**}/{*}", "/a{*}", "/{*}x/b", "/*/{*}"]) {
        const deny = authorization("bad-template", "DENY", to({ paths: [path] }));
        expectRefused(deny, "invalid or unsupported path");
        expect(await pathStatuses("exact", [deny], ["/y"])).toEqual({ "/y": 403 });
        const allow = authorization("bad-template", "ALLOW", to({ paths: [path] }));
        const paths = ["/y/x", "/ab", "/*/a"];
        expect(await pathStatuses("exact", [allow], paths)).toEqual(all(403, paths));
      }
    },
  );

  securityTest(
    attack("A19", "M", {
      level: "policy",
      source: "Istio's validation of path templates",
      title: "braces that are no template, such as /{id}, are reported: no normalised path holds them",
      outcome:
        "Accepted=False; matched as written, as in Istio, so never: an ALLOW lets nothing in, a DENY is of no use",
    }),
    async () => {
      for (const path of ["/{foo}", "/a/{x}", "/a{b", "/x}"]) {
        const allow = authorization("braces", "ALLOW", to({ paths: [path] }));
        expectRefused(allow, "Contains '{' or '}' beyond a supported path template");
        const paths = [path, "/y", "/a/y", "/foo", "/a/x"];
        for (const mode of SERVER_MODES) {
          expect(await pathStatuses(mode, [allow], paths)).toEqual(all(403, paths));
        }
        const deny = authorization("braces", "DENY", to({ paths: [path] }));
        expect(await pathStatuses("exact", [deny], paths)).toEqual(all(200, paths));
        // An upstream that decodes sees the braces.
        expect(await pathStatuses("strict", [deny], [path, "/y"])).toEqual({ [path]: 403, "/y": 200 });
      }
    },
  );
});

function expectRefused(policy: Fixture, message: string): void {
  const [translated] = translatePolicies(manifests("httpbin", policy));
  expect(translated?.report).toMatchObject({ accepted: false, reason: "Invalid" });
  expect(translated?.report.diagnostics.map((diagnostic) => diagnostic.message).join("\n")).toContain(message);
}
