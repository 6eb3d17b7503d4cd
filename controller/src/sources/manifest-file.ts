import { open } from "node:fs/promises";
import { createManifestParser } from "../resources/manifest.ts";
import type { Problem } from "../resources/object.ts";
import type { StoredResource } from "../resources/store.ts";
import { fileStamp, reasonOf } from "./directory-scan.ts";

/** One file of the tree as it was last read. */
export interface ManifestFile {
  /** The stamp of the scan that led to this reading; anything else means: read again. */
  readonly stamp: string;
  /** What the file says, or what it said when it could last be read in full. */
  readonly resources: readonly StoredResource[];
  readonly problems: readonly Problem[];
  /** Whether `resources` is all that the file says now. */
  readonly isComplete: boolean;
  /** Whether it ever could be read in full. */
  readonly hasBeenComplete: boolean;
  readonly foreign: readonly string[];
  /** Reads the file again. @returns null when it is being written at this moment, or has gone: look again */
  readonly readAgain: (stamp: string) => Promise<ManifestFile | null>;
}

/** The largest file that is read. */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024;

/** Reads a file for the first time. @param stamp as of the scan; @returns null as `readAgain` does */
export async function readManifestFile(path: string, stamp: string): Promise<ManifestFile | null> {
  const parse = createManifestParser(path);
  return await read(stamp, null);

  async function read(stamp: string, before: ManifestFile | null): Promise<ManifestFile | null> {
    const content = await readStable(path, stamp);
    if (content === null) return null;
    const readAgain = (next: string): Promise<ManifestFile | null> => read(next, file);
    const manifests = content.ok ? parse(content.text) : failed(path, content.reason);
    const { resources, problems, isComplete, foreign } = manifests;
    // A file that can't be read now keeps what it said; the objects that changed in it wait until all of it can be read.
    const isKept = !isComplete && before?.hasBeenComplete === true;
    const kept: Problem = { ...problem(path, "the last version that could be read stays in force"), level: "warn" };
    const file: ManifestFile = {
      stamp,
      resources: isKept ? before.resources : resources,
      problems: isKept ? [...problems, kept] : problems,
      isComplete,
      hasBeenComplete: isComplete || isKept,
      foreign,
      readAgain,
    };
    return file;
  }
}

type Content = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

async function readStable(path: string, stamp: string): Promise<Content | null> {
  try {
    await using file = await open(path);
    const stats = await file.stat({ bigint: true });
    if (fileStamp(stats) !== stamp) return null;
    if (stats.size > MAX_FILE_BYTES) return { ok: false, reason: `is larger than ${MAX_FILE_BYTES} bytes; split it` };
    const bytes = await file.readFile();
    if (fileStamp(await file.stat({ bigint: true })) !== stamp) return null;
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return { ok: false, reason: "is not UTF-8 text" };
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return { ok: false, reason: reasonOf(error) };
  }
}

function failed(path: string, reason: string): ReturnType<ReturnType<typeof createManifestParser>> {
  return { resources: [], problems: [problem(path, reason)], isComplete: false, foreign: [] };
}

function problem(where: string, message: string): Problem {
  return { level: "error", where, object: null, path: "", message };
}
