/** One scenario of `test/cases`, ready to run: placeholders filled in, overrides applied. */
export interface ConformanceCase {
  /** `group/scenario`, the file's place in test/cases. */
  readonly id: string;
  readonly group: string;
  readonly description: string;
  /** Envoy refused what Istio generated; there are no requests then. */
  readonly envoyRejects: string;
  readonly workload: CaseWorkload;
  /** In Istio's own form; empty: the defaults. */
  readonly meshConfig: Readonly<Record<string, unknown>>;
  readonly services: readonly CaseService[];
  /** Kubernetes objects with `metadata.creationTimestamp`, oldest first. */
  readonly resources: readonly CaseObject[];
  readonly requests: readonly CaseRequest[];
}

/** The Envoy that the requests go to. */
export interface CaseWorkload {
  readonly kind: "sidecar" | "gateway";
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly gateways: readonly string[];
  readonly ports: readonly number[];
}

/** An upstream cluster that exists. */
export interface CaseService {
  readonly host: string;
  readonly port: number;
  readonly subsets: readonly string[];
}

/** A Kubernetes object. */
export interface CaseObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [field: string]: unknown };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** One HTTP/1.1 request without a body. */
export interface CaseRequest {
  readonly name: string;
  readonly method: string;
  readonly authority: string;
  /** The request target, byte for byte. */
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  /** Local port that it comes to. */
  readonly port: number;
  readonly sourceIp: string;
  /** What a TLS connection tells besides; in process only. Omitted: no TLS. */
  readonly tls?: { readonly principal: string; readonly sni: string };
  /** What other filters left, by `filter/key`; in process only. */
  readonly filterMetadata?: Readonly<Record<string, string | readonly string[]>>;
  readonly expect: Expectation;
}

/** Name and value as they stand on the wire. */
export type HeaderLine = readonly [name: string, value: string];

/** What must become of a request. */
export interface Expectation {
  readonly status: number;
  /** Of answers that no upstream gave. */
  readonly body: string | undefined;
  /** Lower-case names. */
  readonly responseHeaders: ExpectedHeaders;
  readonly upstream: ExpectedUpstream | undefined;
  readonly rbacStats: Readonly<Record<string, number>>;
}

/** What an upstream must have received. */
export interface ExpectedUpstream {
  /** `workload`, or `host`, or `host/subset`. */
  readonly destination: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly authority: string;
  /** Lower-case names; all that arrive but Host and Envoy's own. */
  readonly headers: ExpectedHeaders;
  readonly absentHeaders: readonly string[];
}

/** One value, the values of several lines, or base64 of a JSON value whose key order is open. */
export type ExpectedHeaders = Readonly<Record<string, string | readonly string[] | { readonly base64Json: unknown }>>;

/**
 * True for requests that Envoy's HTTP codec refuses, so that no filter and no authorization server ever sees them.
 * They say something about Envoy only, and are asserted through it only.
 */
export function isRefusedByCodec(request: CaseRequest): boolean {
  return request.expect.status === 400 && request.expect.body === "Bad Request";
}
