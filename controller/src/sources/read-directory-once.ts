import type { Problem } from "../resources/object.ts";
import { createDirectoryObjects } from "./directory-objects.ts";
import { scanDirectory } from "./directory-scan.ts";
import { type ManifestFile, readManifestFile } from "./manifest-file.ts";
import type { Sink } from "./source.ts";

/**
 * Delivers what a directory holds at this moment; the directory source without its watching.
 * @returns why the directory can't be read at all: then nothing is delivered
 */
export async function readDirectoryOnce(path: string, sink: Sink): Promise<string | null> {
  const scan = await scanDirectory(path);
  const problems: Problem[] = Array.from(scan.unreadable, ([where, message]) => problem(where, message));
  if (scan.files.size === 0 && scan.directories.size === 0) return problems.map(oneLine).join("; ");
  const files = new Map<string, ManifestFile>();
  for (const [file, stamp] of scan.files) {
    const manifest = await readManifestFile(file, stamp);
    if (manifest === null) problems.push(problem(file, "was changed while it was read; try again"));
    else files.set(file, manifest);
  }
  const fileProblems = [...files.values()].flatMap((file) => file.problems);
  createDirectoryObjects(sink, () => undefined).apply(files, [...problems, ...fileProblems]);
  sink.synced();
  return null;
}

function problem(where: string, message: string): Problem {
  return { level: "error", where, object: null, path: "", message };
}

function oneLine({ where, message }: Problem): string {
  return `${where}: ${message}`;
}
