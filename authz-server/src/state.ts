import type { PolicyIndex } from "./policy/policy-index.ts";

/** The one mutable reference of the server: the policy that is enforced. A request reads it once. */
export class PolicyState {
  #current: PolicyIndex | null = null;

  /** null until the first policy with a MeshConfig was accepted, and while what there is is too old to be enforced. */
  get current(): PolicyIndex | null {
    return this.#current;
  }

  /** From the next request on, this policy is enforced. */
  swap(index: PolicyIndex): void {
    this.#current = index;
  }

  /** From the next request on nothing is enforced, so nothing is allowed, until the next swap. */
  withdraw(): void {
    this.#current = null;
  }
}
