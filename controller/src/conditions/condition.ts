/** One condition as Gatehouse states it. Words of Istio's status, whose form it has. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  /** One CamelCase word for programs. */
  readonly reason: ConditionReason;
  /** One sentence for people. */
  readonly message: string;
  /** The `metadata.generation` that it speaks of; `kubectl wait` compares it. */
  readonly observedGeneration: number;
}

/** `KeysReady`: only RequestAuthentications whose keys are fetched. */
export type ConditionType = "Accepted" | "Programmed" | "KeysReady";

export type ConditionReason =
  /** Accepted */
  | "Accepted"
  | "PartiallySupported"
  | "QuotaExceeded"
  | "Conflicted"
  | "Invalid" // Programmed too: what is not accepted never counts as programmed
  /** Programmed */
  | "Programmed"
  | "Pending"
  | "Refused"
  | "NoServers"
  /** KeysReady */
  | "KeysFetched"
  | "KeysStale"
  | "KeysUnavailable";

/** Types that are ours in a list of conditions; the others belong to other writers. */
export const CONDITION_TYPES: readonly ConditionType[] = ["Accepted", "Programmed", "KeysReady"];
