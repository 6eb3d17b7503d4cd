import { loadExtAuthz } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALLOW, accessDenied, type Respond } from "../decision.ts";
import { encodeCheckResponse } from "./check-response.ts";

const { responseDeserialize } = loadExtAuthz().service.Check;

function decoded(bytes: Uint8Array): ReturnType<typeof responseDeserialize> {
  return responseDeserialize(Buffer.from(bytes));
}

const denied: Respond = {
  kind: "respond",
  status: 401,
  headers: [{ name: "www-authenticate", value: 'Bearer realm="x"' }],
  body: "Jwt is expired",
  reason: "jwt_rejected",
  ref: null,
};

describe("encodeCheckResponse", () => {
  it("writes a plain allow with its code spelt out", () => {
    expect(Buffer.from(encodeCheckResponse(ALLOW)).toString("hex")).toBe("0a0208001a00");
  });

  it("writes a deny byte for byte", () => {
    const text = Buffer.from("RBAC: access denied").toString("hex");
    // status{code: 7}, denied_response{status{code: 403}, body}
    expect(Buffer.from(encodeCheckResponse(accessDenied("deny_policy"))).toString("hex")).toBe(
      `0a020807121a0a0308930${"3"}1a13${text}`,
    );
  });

  it("overwrites headers explicitly, in both ways that versions of Envoy know", () => {
    const bytes = encodeCheckResponse({
      kind: "allow",
      setHeaders: [{ name: "x-a", value: "1" }],
      removeHeaders: ["authorization"],
      responseHeaders: [
        { name: "x-r", value: "1", append: false },
        { name: "x-r", value: "2", append: true },
      ],
    });
    const { status, okResponse } = decoded(bytes);
    const actions = [...(okResponse?.headers ?? []), ...(okResponse?.responseHeadersToAdd ?? [])];
    expect(status?.code).toBe(0);
    expect(actions.map(({ header, append, appendAction }) => [header?.key, append?.value, appendAction])).toEqual([
      ["x-a", false, "OVERWRITE_IF_EXISTS_OR_ADD"],
      ["x-r", false, "OVERWRITE_IF_EXISTS_OR_ADD"],
      ["x-r", undefined, "APPEND_IF_EXISTS_OR_ADD"],
    ]);
    expect(okResponse?.headersToRemove).toEqual(["authorization"]);
  });

  it("removes exactly the header of this decision, however many others were removed before", () => {
    const names = Array.from({ length: 100 }, (_, n) => `x-${n}`);
    for (const name of [...names, ...names]) {
      const { status, okResponse } = decoded(encodeCheckResponse({ ...ALLOW, removeHeaders: [name] }));
      expect([status?.code, okResponse?.headersToRemove, okResponse?.headers]).toEqual([0, [name], []]);
    }
    const bad = { ...ALLOW, removeHeaders: ["x-a\nx-b"] };
    for (const _ of names) expect(() => encodeCheckResponse(bad)).toThrow("control character");
  });

  it("keeps status, headers and body of a response", () => {
    const { status, deniedResponse } = decoded(encodeCheckResponse(denied));
    expect(status?.code).toBe(16);
    expect(deniedResponse?.status?.code).toBe(401);
    expect(deniedResponse?.body).toBe("Jwt is expired");
    expect(deniedResponse?.headers[0]?.header).toMatchObject({ key: "www-authenticate", value: 'Bearer realm="x"' });
  });

  it("never encodes a response whose code Envoy would read as allow", () => {
    const text = fc.string({ unit: "binary-ascii", maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), text, (status, body) => {
        expect(decoded(encodeCheckResponse({ ...denied, status, body })).status?.code).toBeGreaterThan(0);
      }),
    );
  });

  it.each([
    ["a line break in a header", { ...denied, headers: [{ name: "x", value: "a\r\nx-evil: 1" }] }],
    ["NUL in a header", { ...denied, headers: [{ name: "x", value: "a\0" }] }],
    ["text that is not bytes", { ...denied, headers: [{ name: "x", value: "\u2028" }] }],
    ["status 0", { ...denied, status: 0 }],
    ["status NaN", { ...denied, status: Number.NaN }],
    ["status 101", { ...denied, status: 101 }],
  ])("refuses %s", (_, decision) => {
    expect(() => encodeCheckResponse(decision)).toThrow();
  });
});
