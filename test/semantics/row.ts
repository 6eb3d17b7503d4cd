import type { CaseWorkload } from "../conformance/case.ts";

/** One row of what Istio answers, as a file of `rows/` holds it. */
export interface Row {
  /** `A14`, or the section of a rule that no row of a letter shows: `§2.6`. */
  readonly id: string;
  /** What the row shows; with the id the name of the test. */
  readonly says: string;
  /** Default: the sidecar of `httpbin` in namespace foo. */
  readonly at?: "gateway" | Partial<CaseWorkload>;
  readonly mesh?: Readonly<Record<string, unknown>>;
  /** `Kind [namespace/]name` to spec; the namespace is foo, if none is given. A suffix ` dry-run=true` is the annotation. */
  readonly policies?: readonly Readonly<Record<string, Readonly<Record<string, unknown>> | null>>[];
  readonly sends: readonly Send[];
  /** Also through a real Envoy. */
  readonly envoy?: boolean;
  /** Differs from Istio on purpose: a row of docs/differences.md. */
  readonly differs?: string;
}

/** A request, and what it gets. */
export interface Send {
  /** `METHOD target`; default `GET /`. */
  readonly send?: string;
  /** Default httpbin.foo. */
  readonly host?: string;
  /** Name of a token that goes into `Authorization: Bearer`. */
  readonly token?: string;
  /** `Name: value` */
  readonly headers?: readonly string[];
  /** Local port; default 8080. */
  readonly port?: number;
  /** Address of the peer. */
  readonly from?: string;
  /** Identity in the peer's certificate. */
  readonly principal?: string;
  readonly sni?: string;
  /** What other filters left, by `filter/key`. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>;
  /** Status, and after a blank the body. Without a body: `RBAC: access denied` for 403, none for 404, whatever it is for others. */
  readonly gets: number | string;
  /** `www-authenticate` of the answer. */
  readonly challenge?: string;
  /** Headers of the answer; null: it has none. */
  readonly answer?: ExpectedValues;
  /** What the upstream receives; null: not this header. `:destination` is the service. */
  readonly upstream?: ExpectedValues;
  /** What the policies in dry-run say. */
  readonly dryRun?: string;
}

/** Header name to value, to the values of several lines, or to null: absent. */
export type ExpectedValues = Readonly<Record<string, string | readonly string[] | null>>;

/** What validation says of one object, as validation.yaml holds it. */
export interface Verdict {
  /** `E7`, or the section of a rule that no row shows: `§5.3`. */
  readonly id: string;
  readonly says: string;
  /** One entry: `Kind`, with ` dry-run=true` for the annotation, to spec. */
  readonly object: Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;
  /** `path: message`, all of them; omitted: accepted. */
  readonly refused?: readonly string[];
  /** Likewise; does not refuse. */
  readonly warned?: readonly string[];
}
