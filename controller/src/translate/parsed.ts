/**
 * One value read from text. Without `value` it can't be used and fails closed; with both it is used as Istio uses it, though
 * Istio's validation refuses it.
 */
export type Parsed<Value> =
  | { readonly value: Value; readonly problem: string | null }
  | { readonly value: null; readonly problem: string };

/** A value that is fine. */
export function parsed<Value>(value: Value): Parsed<Value> {
  return { value, problem: null };
}

/** A value that can't be used. */
export function broken(problem: string): Parsed<never> {
  return { value: null, problem };
}
