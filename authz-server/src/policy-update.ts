import { setImmediate as nextTurn } from "node:timers/promises";
import { type KeySet, resourceName } from "@gatehouse/protos";
import { importKeySet } from "./authn/import-key-set.ts";
import type { ImportedKeySet } from "./authn/key-set.ts";
import type { PolicyIndex } from "./policy/policy-index.ts";
import { type PolicyUpdate, type Prepared, type PrepareError, prepareInSteps } from "./policy/prepare.ts";

export type { PolicyUpdate, Prepared, PrepareError };

/**
 * Makes the next index from a change: imports its keys, then prepares the rest. The previous index stays as it is.
 * @returns the resources that this server cannot enforce, if there are any; then nothing of the change may be used
 */
export async function applyUpdate(previous: PolicyIndex | null, update: PolicyUpdate): Promise<Prepared> {
  const keySets = update.upserts.filter((resource) => resource.kind === "KeySet");
  const imported = new Map<string, ImportedKeySet>();
  const errors: PrepareError[] = [];
  // One after the other: many large sets at once would leave no turn to the checks.
  for (const keySet of keySets) await importOne(keySet, imported, errors);
  return errors.length > 0 ? { ok: false, errors } : await inTurns(prepareInSteps(previous, update, imported));
}

/** What preparing takes of one turn of the event loop, in milliseconds, the last step on top: checks are answered in between. */
const TURN_MS = 5;

async function inTurns<Result>(steps: Generator<void, Result, void>): Promise<Result> {
  let endMs = performance.now() + TURN_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < endMs) continue;
    await nextTurn();
    endMs = performance.now() + TURN_MS;
  }
}

async function importOne(keySet: KeySet, imported: Map<string, ImportedKeySet>, errors: PrepareError[]): Promise<void> {
  const resource = resourceName(keySet);
  try {
    imported.set(resource, await importKeySet(keySet));
  } catch {
    // What jose says may quote the key.
    errors.push({ resource, message: "a key of the set cannot be imported" });
  }
}
