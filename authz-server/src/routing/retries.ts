import type { Retries } from "@gatehouse/protos";
import { type HeaderLine, toByteString } from "../http-request.ts";

/**
 * The headers by which Envoy's router retries. With any of them it retries by them alone; without, by the default of its route.
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
 */
export function retryHeaders({ attempts, perTryTimeoutMs, retryOn }: Retries): readonly HeaderLine[] {
  const limit = set("x-envoy-max-retries", String(attempts));
  if (attempts === 0) return [limit];
  const conditions = splitConditions(retryOn === "" ? DEFAULT_RETRIES.retryOn : retryOn);
  return [
    limit,
    ...list("x-envoy-retry-on", conditions.http),
    ...list("x-envoy-retry-grpc-on", conditions.grpc),
    ...list("x-envoy-retriable-status-codes", conditions.statusCodes),
    ...(perTryTimeoutMs > 0 ? [set("x-envoy-upstream-rq-per-try-timeout-ms", String(perTryTimeoutMs))] : []),
  ];
}

/** What Istio does where a VirtualService says nothing. The routes of deploy/envoy say the same. */
export const DEFAULT_RETRIES: Retries = {
  attempts: 2,
  perTryTimeoutMs: 0,
  retryOn: "connect-failure,refused-stream,unavailable,cancelled",
};

const GRPC_CONDITIONS = ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];
const BY_STATUS_CODE = "retriable-status-codes";

/** Envoy reads conditions of HTTP and of gRPC from a header each; Istio takes status codes among them. */
function splitConditions(retryOn: string): {
  readonly http: readonly string[];
  readonly grpc: readonly string[];
  readonly statusCodes: readonly string[];
} {
  const all = retryOn.split(",").map((condition) => condition.trim());
  const statusCodes = all.filter((condition) => /^[1-5]\d\d$/.test(condition));
  const named = all.filter((condition) => condition !== "" && !statusCodes.includes(condition));
  const http = named.filter((condition) => !GRPC_CONDITIONS.includes(condition));
  const isByCode = statusCodes.length > 0 && !http.includes(BY_STATUS_CODE);
  return {
    http: isByCode ? [...http, BY_STATUS_CODE] : http,
    grpc: named.filter((condition) => GRPC_CONDITIONS.includes(condition)),
    statusCodes,
  };
}

function list(name: string, values: readonly string[]): readonly HeaderLine[] {
  return values.length === 0 ? [] : [set(name, values.join(","))];
}

function set(name: string, value: string): HeaderLine {
  return { name, value: toByteString(value) };
}
