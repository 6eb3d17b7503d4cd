import { expect, it } from "vitest";
import { retryHeaders } from "./retries.ts";

const DEFAULT = "x-envoy-retry-on=connect-failure,refused-stream x-envoy-retry-grpc-on=unavailable,cancelled";

it.each([
  [0, 0, "5xx", "x-envoy-max-retries=0"],
  [3, 0, "", `x-envoy-max-retries=3 ${DEFAULT}`],
  [1, 250, "5xx", "x-envoy-max-retries=1 x-envoy-retry-on=5xx x-envoy-upstream-rq-per-try-timeout-ms=250"],
  [1, 0, "internal", "x-envoy-max-retries=1 x-envoy-retry-grpc-on=internal"],
  [
    1,
    0,
    "503, reset,,429",
    "x-envoy-max-retries=1 x-envoy-retry-on=reset,retriable-status-codes x-envoy-retriable-status-codes=503,429",
  ],
])("%i attempts of %i ms on %j are told by %s", (attempts, perTryTimeoutMs, retryOn, expected) => {
  const headers = retryHeaders({ attempts, perTryTimeoutMs, retryOn });
  expect(headers.map(({ name, value }) => `${name}=${value}`).join(" ")).toBe(expected);
});
