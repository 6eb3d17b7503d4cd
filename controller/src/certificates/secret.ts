import { type KubernetesApi, KubernetesError } from "../kubernetes/api.ts";
import { fieldOf } from "../kubernetes/field-of.ts";

/** A Secret as it was read. */
export interface Secret {
  readonly data: ReadonlyMap<string, string>;
  /** As the API server has it, for `updateSecret`. */
  readonly object: object;
}

/** Which Secret. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** @throws {KubernetesError} */
export async function getSecret(api: KubernetesApi, secret: SecretName, signal: AbortSignal): Promise<Secret> {
  const object = await api.request({ path: pathOf(secret), signal });
  const version = fieldOf(fieldOf(object, "metadata"), "resourceVersion");
  if (typeof object !== "object" || object === null || typeof version !== "string") {
    throw new KubernetesError("BAD_ANSWER", `GET ${pathOf(secret)} at ${api.server}: not a Secret`);
  }
  const data: unknown = fieldOf(object, "data") ?? {};
  const entries = typeof data === "object" && data !== null ? Object.entries(data) : [];
  const texts = entries.map(([key, value]) => [key, Buffer.from(String(value), "base64").toString("utf8")] as const);
  return { object, data: new Map(texts) };
}

/**
 * Writes the data of a Secret, if it is still as it was read; what else stands in it stays.
 * @param data an empty text removes its key
 * @returns whether it was written; false: somebody else was faster
 * @throws {KubernetesError}
 */
export async function updateSecret(
  api: KubernetesApi,
  name: SecretName,
  { secret, data }: { readonly secret: Secret; readonly data: ReadonlyMap<string, string> },
  signal: AbortSignal,
): Promise<boolean> {
  // As they came: others may keep bytes there that are no text.
  const kept = new Map<string, unknown>(Object.entries(fieldOf(secret.object, "data") ?? {}));
  for (const [key, text] of data) {
    if (text === "") kept.delete(key);
    else kept.set(key, Buffer.from(text).toString("base64"));
  }
  const body = { ...secret.object, data: Object.fromEntries(kept) };
  try {
    await api.request({ method: "PUT", path: pathOf(name), body, signal });
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 409) return false;
    throw error;
  }
}

function pathOf({ namespace, name }: SecretName): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
}
