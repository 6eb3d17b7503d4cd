import type { Workload } from "@gatehouse/protos";
import { parseIp } from "./policy/ip-matcher.ts";

/** Finds out who stands behind an address. */
export interface WorkloadLookup {
  /** @returns undefined when nobody does, or more than one */
  at(address: string): AddressOwner | undefined;
}

/** Who stands behind an address, as policies select it. */
export interface AddressOwner {
  readonly namespace: string;
  /** `app=httpbin,version=v1` */
  readonly labels: string;
}

interface Known extends AddressOwner {
  readonly addressKeys: ReadonlySet<string>;
}

/** The workloads that are known now, by address. */
export class WorkloadDirectory implements WorkloadLookup {
  readonly #workloads = new Map<string, Known>();
  /** Names by address. Several: whoever is meant can't be told, and nobody is. */
  readonly #names = new Map<string, ReadonlySet<string>>();

  /** Number of workloads. */
  get size(): number {
    return this.#workloads.size;
  }

  /** Takes in a change: workloads by name, and the names of those that are gone. */
  apply(changed: ReadonlyMap<string, Workload>, removed: readonly string[]): void {
    for (const name of [...removed, ...changed.keys()]) this.#remove(name);
    for (const [name, workload] of changed) {
      const known = toKnown(workload);
      this.#workloads.set(name, known);
      for (const key of known.addressKeys) this.#names.set(key, new Set([...(this.#names.get(key) ?? []), name]));
    }
  }

  at(address: string): AddressOwner | undefined {
    const key = addressKey(address);
    const names = key === undefined ? undefined : this.#names.get(key);
    if (names?.size !== 1) return undefined;
    const [name = ""] = names;
    return this.#workloads.get(name);
  }

  #remove(name: string): void {
    const workload = this.#workloads.get(name);
    if (workload === undefined) return;
    this.#workloads.delete(name);
    for (const key of workload.addressKeys) {
      const others = new Set(this.#names.get(key));
      others.delete(name);
      if (others.size === 0) this.#names.delete(key);
      else this.#names.set(key, others);
    }
  }
}

function toKnown({ namespace, labels, addresses }: Workload): Known {
  const addressKeys = new Set(addresses.flatMap((address) => addressKey(address) ?? []));
  return { namespace, labels: labels.map(({ name, value }) => `${name}=${value}`).join(","), addressKeys };
}

/** The same for all ways to write an address. */
function addressKey(address: string): string | undefined {
  return parseIp(address)?.join(".");
}
