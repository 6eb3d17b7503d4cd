import type { PolicyRef } from "@gatehouse/protos";
import type { HeaderLine } from "./http-request.ts";

/** What Envoy is told to do with a request. */
export type Decision = Allow | Respond;

export interface Allow {
  readonly kind: "allow";
  /** Request headers that are overwritten, or added; `:path`, `:method`, `:authority` included. Each name once. */
  readonly setHeaders: readonly HeaderLine[];
  /** Request headers that are removed; never also in `setHeaders`: Envoy removes last. */
  readonly removeHeaders: readonly string[];
  /** Headers of the response of the upstream. */
  readonly responseHeaders: readonly HeaderMutation[];
}

export interface Respond {
  readonly kind: "respond";
  /** 200-599 */
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
  readonly reason: DenyReason;
  /** Which object decided, if one did. */
  readonly ref: PolicyRef | null;
}

/** Value is a byte string. `append` adds a value; otherwise the header is overwritten. */
export interface HeaderMutation {
  readonly name: string;
  readonly value: string;
  readonly append: boolean;
}

/** Closed set: it is a metric label. */
export type DenyReason =
  | "jwt_rejected"
  | "jwt_missing"
  | "keys_unavailable"
  | "custom_denied"
  | "custom_error"
  | "deny_policy"
  | "no_allow_policy"
  | "no_route"
  | "route_response"
  | "cors_preflight"
  | "bad_path"
  | "bad_header"
  | "unknown_workload"
  | "reserved_header"
  | "raw_headers_missing"
  | "regex_work"
  | "internal_error";

/** Continues the request unchanged. */
export const ALLOW: Allow = { kind: "allow", setHeaders: [], removeHeaders: [], responseHeaders: [] };

/** Istio's answer when authorization fails. */
export function accessDenied(reason: DenyReason, ref: PolicyRef | null = null): Respond {
  return { kind: "respond", status: 403, headers: [], body: "RBAC: access denied", reason, ref };
}

/** Envoy's answer to a NUL in a request (CVE-2019-9900). */
export function badHeader(): Respond {
  return { kind: "respond", status: 400, headers: [], body: "", reason: "bad_header", ref: null };
}

/** No policy can be held against this request in time. */
export function tooMuchWork(): Respond {
  return { kind: "respond", status: 500, headers: [], body: "", reason: "regex_work", ref: null };
}

/** Envoy's answer to a path that must not be read in several ways. */
export function badPath(): Respond {
  return { kind: "respond", status: 400, headers: [], body: "", reason: "bad_path", ref: null };
}
