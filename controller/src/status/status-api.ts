import type { Condition } from "../conditions/condition.ts";
import { RESOURCE_PLURALS, splitKey } from "../conditions/resource-kinds.ts";
import type { BoardObject } from "../conditions/status-board.ts";
import type { StatusForm } from "../conditions/status-form.ts";
import { toStatus } from "../conditions/status-form.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";

/** Owner of the fields that we write, as `kubectl get --show-managed-fields` names it. */
export const FIELD_MANAGER = "gatehouse";

/** One write of a status. */
export interface StatusWrite {
  readonly object: BoardObject;
  readonly before: StatusForm;
  readonly conditions: readonly Condition[];
}

/** The object after a write. */
export interface WrittenObject {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: unknown;
}

/**
 * Writes a status by server-side apply. The write is refused if the object is no longer what it was when the status was made,
 * so that neither a slow request nor one of a leader of yesterday overwrites what is newer.
 * @throws KubernetesError
 */
export async function applyStatus(
  api: KubernetesApi,
  { object, before, conditions }: StatusWrite,
  options: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<WrittenObject> {
  const parts = splitKey(object.key);
  if (parts === null) throw new Error(`no object of ours: ${object.key}`);
  const { kind, namespace, name } = parts;
  const { apiVersion, uid, resourceVersion } = object;
  const now = new Date(options.nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  const segments = [namespace, RESOURCE_PLURALS[kind], name].map(encodeURIComponent);
  const answer = await api.request({
    method: "PATCH",
    path: `/apis/${apiVersion}/namespaces/${segments.join("/")}/status`,
    query: { fieldManager: FIELD_MANAGER, force: "true" },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion,
      kind,
      metadata: { name, namespace, uid, resourceVersion },
      status: toStatus(conditions, before, now),
    },
    timeoutMs: options.timeoutMs,
  });
  const metadata = get(answer, "metadata");
  return {
    uid: toText(get(metadata, "uid")),
    resourceVersion: toText(get(metadata, "resourceVersion")),
    status: get(answer, "status"),
  };
}

function get(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
