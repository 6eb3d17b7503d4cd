import { it } from "vitest";

/** How bad the flaw would be: critical, high, medium, low. */
export type Severity = "C" | "H" | "M" | "L";

/**
 * The mode in which the outcome holds: `exact` is the server's default (Istio's answers), `strict` has `strictPaths`, `hardened` is the Envoy
 * profile `deploy/envoy/hardened.yaml` in front of a strict server.
 */
export type Mode = "exact" | "strict" | "hardened";

/** Where the attack is made: bytes to a real Envoy, one CheckRequest, a token, the policy itself, or one function. */
export type Level = "envoy" | "check" | "token" | "policy" | "unit";

/** One known attack, as docs/security.md lists it. */
export interface SecurityCase {
  /** Letter and two digits; the same id may be registered once for each mode or level. */
  readonly id: string;
  readonly severity: Severity;
  /** The CVE, bulletin or observation that the case stands for. */
  readonly source: string;
  readonly mode: readonly Mode[];
  readonly level: Level;
  /** A sentence: what is tried. */
  readonly title: string;
  /** What must come of it, in a few words: `deny`, `400 by Envoy`, `never forwarded`. */
  readonly outcome: string;
}

declare module "vitest" {
  interface TaskMeta {
    /** What a test of test/security stands for; docs/security.md is made of it. */
    attack?: SecurityCase;
  }
}

/** Registers a test for a known attack; its name is the id and the title. Timeout in ms. */
export function securityTest(attack: SecurityCase, run: () => void | Promise<void>, timeoutMs?: number): void {
  it(
    `${attack.id} ${attack.title}`,
    { meta: { attack }, ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }) },
    () => run(),
  );
}

/** One attack in short: what `attacksAt` fills in may be said anew. */
export type AttackAbout = Pick<SecurityCase, "source" | "title" | "outcome"> &
  Partial<Pick<SecurityCase, "mode" | "level">>;

/** How a file describes its attacks. @param mode where their outcome holds, if not everywhere */
export function attacksAt(
  level: Level,
  mode: readonly Mode[] = ["exact", "strict", "hardened"],
): (id: string, severity: Severity, about: AttackAbout) => SecurityCase {
  return (id, severity, about) => ({ id, severity, level, mode, ...about });
}
