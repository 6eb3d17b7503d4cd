import { describe, expect, it } from "vitest";
import { NO_TOKEN } from "../authn/authn-result.ts";
import type { HttpRequest } from "../http-request.ts";
import { prepare } from "../policy/prepare.ts";
import { meshConfig } from "../policy/testdata/mesh.ts";
import { parseWorkload } from "../policy/workload.ts";
import { toAttributes } from "./to-attributes.ts";

function request(...values: readonly string[]): HttpRequest {
  return {
    method: "GET",
    path: "/",
    host: "h",
    scheme: "http",
    headers: values.map((value) => ({ name: "x-role", value })),
    hasRawHeaders: true,
    source: { address: "10.0.0.1", principal: "" },
    destination: { address: "10.0.0.2", port: 80 },
    sni: "",
    contextExtensions: new Map(),
    filterMetadata: () => undefined,
  };
}

function valuesSeen(sent: HttpRequest): readonly string[] {
  const workload = parseWorkload({ namespace: "foo", labels: "", gateways: "foo/gw", serverPort: "" });
  const prepared = prepare(null, { upserts: [meshConfig()], removed: [] }, new Map());
  if (!prepared.ok || workload === undefined) throw new Error("not prepared");
  const { headers } = toAttributes(prepared.index.select(workload), sent, { path: "/", query: "" }, NO_TOKEN);
  return headers.map(({ value }) => value);
}

describe("what policies see of a header", () => {
  it("is its value without the blanks around it", () => {
    expect(valuesSeen(request("admin ", "\t admin \t", "a  b", " ", ""))).toEqual(["admin", "admin", "a  b", "", ""]);
  });

  it("are the very lines that came, where there is nothing to take away", () => {
    const sent = request("admin", "a b");
    expect(valuesSeen(sent)).toEqual(["admin", "a b"]);
  });

  it("takes no longer than its length, whatever blanks are in it", () => {
    const startedMs = performance.now();
    valuesSeen(request(`a${" ".repeat(100_000)}b `));
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});
