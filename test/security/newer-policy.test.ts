import { READER_VERSION, resourceName } from "@gatehouse/protos";
import { decodeResource, encodeResource } from "@gatehouse/protos/wire";
import { describe, expect } from "vitest";
import { applyToServer } from "../support/apply-to-server.ts";
import { translatePolicies } from "../support/check-harness.ts";
import { DENY_HOST, manifests } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("policy", ["exact"]);

describe("policy of a newer controller", () => {
  securityTest(
    attack("B09", "H", {
      source: "CVE-2022-21679",
      title: "a condition or a version that the server does not know is refused, never dropped",
      outcome: "NACK",
    }),
    async () => {
      const [policy] = translatePolicies(manifests("httpbin", DENY_HOST)).flatMap(({ resources }) => resources);
      if (policy?.kind !== "AuthorizationPolicy") throw new Error("nothing translated");
      const name = resourceName(policy);
      const bytes = encodeResource(policy);
      const newer = encodeResource({ ...policy, meta: { ...policy.meta, minReaderVersion: READER_VERSION + 1 } });
      expect(await applyToServer([{ name, bytes }])).toEqual({ kind: "applied" });
      expect(await applyToServer([{ name, bytes: newer }])).toMatchObject({
        kind: "refused",
        errors: [{ resource: name }],
      });
      const unknown = await applyToServer([{ name, bytes: withAttribute(bytes, 99) }]);
      expect(unknown).toMatchObject({ kind: "refused", errors: [{ resource: name }] });
    },
  );
});

/** The policy with another number for what its only condition looks at. */
function withAttribute(bytes: Uint8Array, attribute: number): Uint8Array {
  const HOST = 2;
  const METHOD = 3;
  for (const at of bytes.keys()) {
    if (bytes[at] !== HOST) continue;
    const changed = Buffer.from(bytes);
    changed[at] = METHOD;
    if (attributeIn(changed) !== "method") continue;
    changed[at] = attribute;
    return changed;
  }
  throw new Error("the attribute was not found");
}

function attributeIn(bytes: Uint8Array): string | undefined {
  try {
    const policy = decodeResource(bytes);
    return policy.kind === "AuthorizationPolicy" ? policy.rules[0]?.to[0]?.[0]?.attribute : undefined;
  } catch {
    return undefined; // not the byte that was looked for
  }
}
