import type { PolicyRef, PolicyResource } from "@gatehouse/protos";

/**
 * One remark about an object. `Invalid`: refused, and how the object is enforced nevertheless fails closed. `Unsupported`: valid,
 * but not (or not fully) enforced. `Conflicted`: valid, but what it claims belongs to somebody else. `QuotaExceeded`: valid, but there is too
 * much of it. `Warning`: nothing is lost, but somebody should look.
 * `path` is written as in `spec.rules[0].when[0].key`; `message` is Istio's where Istio has one.
 */
export interface Diagnostic {
  readonly path: string;
  readonly reason: "Invalid" | "QuotaExceeded" | "Conflicted" | "Unsupported" | "Warning";
  readonly message: string;
}

/** The verdict on one object, as its status shows it. */
export interface Report {
  readonly ref: PolicyRef;
  readonly accepted: boolean;
  readonly reason: "Accepted" | "Invalid" | "QuotaExceeded" | "Conflicted" | "PartiallySupported";
  readonly diagnostics: readonly Diagnostic[];
}

/** What one object turns into. Resources are present for invalid objects too: they fail closed. */
export interface Translated {
  readonly resources: readonly PolicyResource[];
  readonly report: Report;
  /** Where the keys of those key sets in `resources` come from that have to be fetched. */
  readonly keySources: readonly KeySource[];
}

/** A key set that has to be fetched. Equal names mean equal issuer and URI. */
export interface KeySource {
  /** `KeySet.name`. */
  readonly keySet: string;
  readonly issuer: string;
  /** `jwksUri`; empty: the issuer's discovery document names it. */
  readonly uri: string;
  /** For one whole attempt. */
  readonly timeoutMs: number;
}

/** Collects the diagnostics of one object while it is translated. */
export interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  invalid(path: string, message: string): void;
  unsupported(path: string, message: string): void;
  warn(path: string, message: string): void;
}

/** An object of half a megabyte can have a hundred thousand faults. Nobody reads them, and they take much more room than the object. */
const MAX_OF_ONE_REASON = 50;

/** An empty collection of diagnostics. */
export function collectFindings(): Findings {
  const diagnostics: Diagnostic[] = [];
  const add = (reason: Diagnostic["reason"]) => {
    let count = 0;
    return (path: string, message: string) => {
      count += 1;
      if (count <= MAX_OF_ONE_REASON) diagnostics.push({ path, reason, message });
      else if (count === MAX_OF_ONE_REASON + 1) diagnostics.push({ path: "", reason, message: "and more like these" });
    };
  };
  return { diagnostics, invalid: add("Invalid"), unsupported: add("Unsupported"), warn: add("Warning") };
}

/** Concludes: the worst makes the verdict. One `Unsupported` makes the object partially supported; what is worse, not accepted. */
export function toReport(ref: PolicyRef, diagnostics: readonly Diagnostic[]): Report {
  const has = (reason: Diagnostic["reason"]) => diagnostics.some((diagnostic) => diagnostic.reason === reason);
  const refusal = REFUSALS.find(has);
  if (refusal !== undefined) return { ref, accepted: false, reason: refusal, diagnostics };
  return { ref, accepted: true, reason: has("Unsupported") ? "PartiallySupported" : "Accepted", diagnostics };
}

const REFUSALS = ["Invalid", "QuotaExceeded", "Conflicted"] as const;

/**
 * One line for logs and `/readyz?verbose`: `AuthorizationPolicy foo/require-jwt: spec.rules[0].when[0].key: ...`.
 * Errors in rules and provider of an AuthorizationPolicy carry Istio's prefix `invalid policy NAME.NAMESPACE:`.
 */
export function formatDiagnostic(ref: PolicyRef, diagnostic: Diagnostic): string {
  const prefix =
    ref.kind === "AuthorizationPolicy" &&
    diagnostic.reason === "Invalid" &&
    /^spec\.(rules|provider)/.test(diagnostic.path)
      ? `invalid policy ${ref.name}.${ref.namespace}: `
      : "";
  return `${ref.kind} ${ref.namespace}/${ref.name}: ${diagnostic.path}: ${prefix}${diagnostic.message}`;
}
