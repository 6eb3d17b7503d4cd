import { type KeySet, type PolicyRef, type PolicyResource, resourceName } from "@gatehouse/protos";
import { decodeResource } from "@gatehouse/protos/wire";
import type { Logger } from "pino";
import { encodeResources } from "./discovery/encode-resource.ts";
import { type FetchedOnce, fetchOnce } from "./jwks/fetch-once.ts";
import type { FetchKeys } from "./jwks/fetcher.ts";
import type { KeyFetchOptions } from "./jwks/key-options.ts";
import { openKeyFetcher } from "./jwks/open-key-fetcher.ts";
import type { MeshSettings } from "./mesh-config.ts";
import { openMeshConfigFile } from "./mesh-config-file.ts";
import { formatProblem, type Problem } from "./resources/object.ts";
import { ResourceStore, type StoredResource } from "./resources/store.ts";
import { readDirectoryOnce } from "./sources/read-directory-once.ts";
import { StartError } from "./start-error.ts";
import { formatDiagnostic, type Report } from "./translate/index.ts";
import type { KeySource } from "./translate/report.ts";
import { createTranslateStored } from "./translate-stored.ts";

export interface LoadOptions {
  /** Directory of Kubernetes YAML. */
  readonly path: string;
  /** File with Istio's MeshConfig; null: Istio's defaults. */
  readonly meshConfigFile: string | null;
  readonly settings: MeshSettings;
  /** How keys of `jwksUri` and of discovery are fetched, once; null: not at all, so tokens that need them are refused. */
  readonly keys: KeyFetchOptions | null;
  readonly log: Logger;
}

/** The policy of a directory as it stands now. */
export interface LoadedPolicy {
  /** A whole set, MeshConfig included: what a server would be sent. */
  readonly resources: readonly PolicyResource[];
  readonly problems: readonly LoadProblem[];
}

/** Something wrong with a file or object; `text` begins with file and line. */
export interface LoadProblem {
  readonly level: "error" | "warn";
  /** `AuthorizationPolicy foo/require-jwt`; null when it is about no one object. */
  readonly object: string | null;
  readonly text: string;
}

/**
 * Reads, checks and translates a directory once, as the controller does again and again. Faulty objects are there in the form that fails
 * closed.
 * @throws StartError when the directory or the mesh configuration can't be used
 */
export async function loadDirectory(options: LoadOptions): Promise<LoadedPolicy> {
  const { path, meshConfigFile, settings, log } = options;
  const fetchKeys = options.keys === null ? null : await openKeyFetcher(options.keys);
  const mesh = await openMeshConfigFile(meshConfigFile, settings, log);
  const store = new ResourceStore([]);
  const reason = await readDirectoryOnce(path, {
    upsert: (object, origin) => void store.upsert(object, origin),
    invalid: (object, origin) => void store.invalid(object, origin),
    delete: (key) => void store.delete(key),
    setProblems: (problems) => store.setProblems(path, problems),
    synced: () => undefined,
  });
  if (reason !== null) throw new StartError("BAD_SOURCE", `resources directory ${reason}`);

  const translate = createTranslateStored(mesh, log);
  const resources = new Map<string, PolicyResource>();
  const problems = store.problems().map(toLoadProblem);
  const add = (translated: readonly PolicyResource[]): readonly string[] => {
    const encoded = encodeResources(translated);
    // Through the wire form, so that what is explained is what a server would have.
    for (const { bytes } of encoded.resources) {
      const resource = decodeResource(bytes);
      resources.set(resourceName(resource), resource);
    }
    return encoded.problems;
  };
  add(mesh.take() ?? []);
  const wanted: WantedKeys[] = [];
  for (const stored of store.all()) {
    const { resources: own, report, keySources } = translate(stored);
    const object = objectName(report.ref);
    const unencodable = add(own).map((text) => ({ level: "error" as const, object, text: `${object}: ${text}` }));
    problems.push(...reportProblems(stored, report), ...unencodable);
    for (const source of keySources) wanted.push({ source, object, place: stored.origin.locate("") });
  }
  const keys = await loadKeys(wanted, fetchKeys);
  add(keys.keySets);
  problems.push(...keys.problems);
  return { resources: [...resources.values()], problems };
}

interface WantedKeys {
  readonly source: KeySource;
  readonly object: string;
  /** File and line of the object. */
  readonly place: string;
}

async function loadKeys(
  wanted: readonly WantedKeys[],
  fetchKeys: FetchKeys | null,
): Promise<{ readonly keySets: readonly KeySet[]; readonly problems: readonly LoadProblem[] }> {
  const sources = wanted.map(({ source }) => source);
  const fetched = fetchKeys === null ? new Map<string, FetchedOnce>() : await fetchOnce(sources, fetchKeys);
  const problems = wanted.flatMap(({ source, object, place }): readonly LoadProblem[] => {
    const known = fetched.get(source.keySet);
    const text = known === undefined ? NOT_FETCHED : known.problem;
    return text === null ? [] : [{ level: "warn", object, text: `${place}: ${object}: ${text}` }];
  });
  return { keySets: Array.from(fetched.values(), ({ keySet }) => keySet), problems };
}

const NOT_FETCHED = "its keys are not fetched here, so its tokens are refused; --fetch-keys fetches them";

/** The errors of objects that failed their schema stand among the problems of the store. */
function reportProblems(stored: StoredResource, report: Report): readonly LoadProblem[] {
  if (stored.kind === "invalid") return [];
  const level = report.accepted ? "warn" : "error";
  return report.diagnostics.map((diagnostic) => ({
    level,
    object: objectName(report.ref),
    text: `${stored.origin.locate(diagnostic.path)}: ${formatDiagnostic(report.ref, diagnostic)}`,
  }));
}

function toLoadProblem(problem: Problem): LoadProblem {
  const { level, object } = problem;
  return { level, object: object && objectName(object), text: formatProblem(problem) };
}

function objectName({ kind, namespace, name }: Pick<PolicyRef, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}
