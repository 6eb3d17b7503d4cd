import { type KubernetesApi, KubernetesError } from "../../kubernetes/api.ts";
import { fieldOf } from "../../kubernetes/field-of.ts";

export interface ListOptions {
  readonly api: KubernetesApi;
  readonly path: string;
  /** Takes each object, so that no more than one page is in memory as a whole. */
  readonly read: (raw: unknown) => void;
  /** Objects in one answer; fewer when they turn out to be large. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/**
 * Lists all objects, page by page. No `resourceVersion` is sent: `0` would be quicker, but may be answered from the cache of a server that
 * lags behind, and policy would go back in time; and such an answer comes in one piece.
 * @returns the version of the list, from where a watch goes on
 * @throws {KubernetesError} also with status 410, when the list was changed too much before its last page: begin anew
 */
export async function listObjects(options: ListOptions): Promise<string> {
  const { api, path, read, signal } = options;
  let { pageSize } = options;
  let next = "";
  for (;;) {
    const query = { limit: String(pageSize), ...(next === "" ? {} : { continue: next }) };
    let page: Page;
    try {
      page = toPage(path, await api.request({ path, query, signal }));
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== "TOO_LARGE" || pageSize === 1) throw error;
      pageSize = Math.max(1, Math.floor(pageSize / 8));
      continue;
    }
    for (const raw of page.items) read(raw);
    if (page.next === "") return page.resourceVersion;
    next = page.next;
  }
}

interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly next: string;
}

/** What does not look like a list is none: taken for an empty one it would remove all policy. */
function toPage(path: string, answer: unknown): Page {
  const kind = fieldOf(answer, "kind");
  const items = fieldOf(answer, "items");
  const metadata = fieldOf(answer, "metadata");
  const resourceVersion = fieldOf(metadata, "resourceVersion");
  const next = fieldOf(metadata, "continue") ?? "";
  const isList = typeof kind === "string" && kind.endsWith("List") && Array.isArray(items);
  if (isList && typeof resourceVersion === "string" && resourceVersion !== "" && typeof next === "string") {
    return { items, resourceVersion, next };
  }
  throw new KubernetesError("BAD_ANSWER", `GET ${path}: the answer is not a list`);
}
