import type { ObjectKey, Problem } from "../resources/object.ts";
import type { StoredResource } from "../resources/store.ts";
import type { ManifestFile } from "./manifest-file.ts";
import type { Sink } from "./source.ts";

/** The objects of all files of a directory, and the sink that is kept in step with them. */
export interface DirectoryObjects {
  /** Tells the sink what differs from the last call. @param files sorted by path; @param problems what is wrong besides duplicates */
  apply(files: ReadonlyMap<string, ManifestFile>, problems: readonly Problem[]): void;
}

interface Served {
  readonly file: string;
  readonly resource: StoredResource;
}

export function createDirectoryObjects(
  sink: Sink,
  onMassRemoval: (removed: number, before: number) => void,
): DirectoryObjects {
  let served: ReadonlyMap<ObjectKey, Served> = new Map();
  return {
    apply(files, problems) {
      const { chosen, duplicates } = choose(files, served);
      const removed = [...served.keys()].filter((key) => !chosen.has(key));
      // One object of one is an edit; most of many is an accident, or an attack.
      const isMassRemoval = removed.length > 1 && removed.length * 2 > served.size;
      if (isMassRemoval) onMassRemoval(removed.length, served.size);
      for (const [key, { resource }] of chosen) if (served.get(key)?.resource !== resource) deliver(resource);
      for (const key of removed) sink.delete(key);
      const massRemoval = isMassRemoval ? [massRemovalProblem(removed.length, served.size)] : [];
      served = chosen;
      sink.setProblems([...problems, ...duplicates, ...massRemoval]);
    },
  };

  function deliver(resource: StoredResource): void {
    if (resource.kind === "valid") sink.upsert(resource.object, resource.origin);
    else sink.invalid(resource.object, resource.origin);
  }
}

/** One place for each object: where it is already served from, else the first. */
function choose(
  files: ReadonlyMap<string, ManifestFile>,
  served: ReadonlyMap<ObjectKey, Served>,
): { readonly chosen: ReadonlyMap<ObjectKey, Served>; readonly duplicates: readonly Problem[] } {
  const places = new Map<ObjectKey, Served[]>();
  for (const [file, { resources }] of files) {
    for (const resource of resources) {
      const known = places.get(resource.key);
      if (known) known.push({ file, resource });
      else places.set(resource.key, [{ file, resource }]);
    }
  }
  const chosen = new Map<ObjectKey, Served>();
  const duplicates: Problem[] = [];
  for (const [key, found] of places) {
    const keeper = found.find(({ file }) => file === served.get(key)?.file) ?? found[0];
    if (keeper === undefined) continue;
    chosen.set(key, keeper);
    for (const other of found) if (other !== keeper) duplicates.push(duplicateProblem(other.resource, keeper.resource));
  }
  return { chosen, duplicates };
}

function duplicateProblem({ object, origin }: StoredResource, keeper: StoredResource): Problem {
  const { namespace, name } = "errors" in object ? object : object.metadata;
  return {
    level: "error",
    where: origin.locate(""),
    object: { kind: object.kind, namespace, name },
    path: "",
    message: `is already defined at ${keeper.origin.locate("")}, which counts; remove one of the two`,
  };
}

function massRemovalProblem(removed: number, before: number): Problem {
  const message = `${removed} of ${before} objects vanished at once; their policies are no longer enforced`;
  return { level: "error", where: "", object: null, path: "", message };
}
