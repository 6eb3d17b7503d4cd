import { describe, expect, it } from "vitest";
import { NO_KEYS } from "../authn/key-set.ts";
import { jwtRule, preparedRule } from "../authn/testdata/jwt-rule.ts";
import { isOwnHeaderSent, ReservedHeaders } from "./reserved-headers.ts";

const line = (name: string) => ({ name, value: "x" });
const outputs = { outputPayloadToHeader: "x-payload", outputClaimToHeaders: [{ header: "x-sub", claim: ["sub"] }] };
const reserved = new ReservedHeaders([preparedRule(jwtRule(outputs), NO_KEYS)]);

describe("headers that a client must not choose", () => {
  it.each([
    ["x-payload", true],
    ["x-sub", true],
    ["x_sub", true],
    ["x-subject", false],
    ["x-envoy-upstream-rq-timeout-ms", true],
    ["x-envoy-fault-abort-request", true],
    ["x_envoy_max_retries", true],
    ["x-envoy-attempt-count", false],
    ["authorization", false],
  ])("%s: %s", (name, expected) => {
    expect(reserved.sentIn([line(name)])).toEqual(expected ? [name] : []);
  });

  it("are named once each, as they were sent", () => {
    expect(reserved.sentIn(["x-sub", "x_sub", "x-sub", "host"].map(line))).toEqual(["x-sub", "x_sub"]);
  });

  it.each([
    ["x-gatehouse-cluster", true],
    ["x_gatehouse_route", true],
    ["x-gatehouse-anything", true],
    ["x-gatehouse", false],
    ["y-x-gatehouse-cluster", false],
  ])("are ours: %s: %s", (name, expected) => {
    expect(isOwnHeaderSent([line("host"), line(name)])).toBe(expected);
  });
});
