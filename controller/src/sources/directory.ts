import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Problem } from "../resources/object.ts";
import { createBell } from "./bell.ts";
import { createDirectoryObjects } from "./directory-objects.ts";
import { type DirectoryScan, isHidden, isSameScan, scanDirectory } from "./directory-scan.ts";
import { watchDirectories } from "./directory-watch.ts";
import { type ManifestFile, readManifestFile } from "./manifest-file.ts";
import type { Sink, Source } from "./source.ts";

export interface DirectorySourceOptions {
  /** Messages begin with it as it is written here. */
  readonly path: string;
  readonly log: Logger;
  /** Says `synced` although a directory or file can't be read at the start. Default false. */
  readonly allowPartial?: boolean;
  /** How often the tree is looked at without being told to. Default 2000. */
  readonly rescanMs?: number;
  /** How long the tree must look the same before a change counts. Default 100. */
  readonly settleMs?: number;
  /** Called when more than half of the objects vanish at once, before they are taken away. */
  readonly onMassRemoval?: (removed: number, before: number) => void;
}

/** How often the tree may differ from one look to the next before the quiet part of it is taken. */
const MAX_LOOKS = 8;

/**
 * Reads Kubernetes objects from the YAML and JSON files of a directory tree, and follows its changes.
 *
 * A change counts when two looks at the tree, `settleMs` apart, saw the same: editors truncate before they write, and mounts appear
 * bit by bit. All files that changed together become one batch of calls. What can't be read keeps what it said before.
 */
export function createDirectorySource(options: DirectorySourceOptions): Source {
  const { path, log, allowPartial = false, rescanMs = 2000, settleMs = 100 } = options;
  return { name: `dir:${path}`, start };

  async function start(sink: Sink, signal: AbortSignal): Promise<void> {
    const bell = createBell();
    const watch = watchDirectories(() => bell.ring());
    const objects = createDirectoryObjects(sink, options.onMassRemoval ?? (() => undefined));
    let files: ReadonlyMap<string, ManifestFile> = new Map();
    let lastProblems = "";
    let hasSynced = false;
    try {
      while (!signal.aborted) {
        const scan = await settle(files, hasSynced, signal);
        if (scan === null) break;
        watch.follow(scan.newest.directories);
        const before = files;
        files = await readFiles(before, scan);
        const problems = problemsOf(scan.newest, files);
        const problemKey = JSON.stringify(problems);
        if (hasChanged(before, files) || problemKey !== lastProblems || !hasSynced) {
          objects.apply(files, problems);
          lastProblems = problemKey;
          logForeign(before, files);
        }
        const isWhole = scan.newest.unreadable.size === 0 && [...files.values()].every((file) => file.isComplete);
        if (!hasSynced && (isWhole || allowPartial)) {
          hasSynced = true;
          sink.synced();
        }
        const isBehind = [...scan.newest.files].some(([file, stamp]) => files.get(file)?.stamp !== stamp);
        if (isBehind) bell.ring();
        await bell.wait(rescanMs, signal);
      }
    } finally {
      watch.close();
    }
  }

  /** Looks until two looks agree. One look is enough when there is nothing new. @returns null when the signal aborts */
  async function settle(
    files: ReadonlyMap<string, ManifestFile>,
    hasSynced: boolean,
    signal: AbortSignal,
  ): Promise<TwoLooks | null> {
    let older = await scanDirectory(path);
    if (hasSynced && isWhatWasRead(older, files)) return { older, newest: older };
    for (let looks = 1; !signal.aborted; looks += 1) {
      // Rejects at an abort, which the loop's condition sees.
      await sleep(settleMs, undefined, { signal }).catch(() => undefined);
      const newest = await scanDirectory(path);
      if (isSameScan(older, newest) || looks === MAX_LOOKS) return { older, newest };
      older = newest;
    }
    return null;
  }

  function logForeign(before: ReadonlyMap<string, ManifestFile>, files: ReadonlyMap<string, ManifestFile>): void {
    for (const [file, { foreign }] of files)
      if (foreign.length > 0 && before.get(file) !== files.get(file)) log.debug({ file, foreign }, "objects skipped");
  }
}

/** Says in one line why a directory can't serve as source, or null. For a check before anything is started. */
export async function whyUnusable(path: string): Promise<string | null> {
  const [first] = (await scanDirectory(path)).unreadable;
  return first === undefined ? null : `${first[0]}: ${first[1]}`;
}

interface TwoLooks {
  readonly older: DirectoryScan;
  readonly newest: DirectoryScan;
}

function isWhatWasRead(scan: DirectoryScan, files: ReadonlyMap<string, ManifestFile>): boolean {
  return (
    scan.unreadable.size === 0 &&
    scan.files.size === files.size &&
    [...scan.files].every(([file, stamp]) => files.get(file)?.stamp === stamp)
  );
}

/** The files that are quiet, as they are now; all others as they were. Sorted by path. */
async function readFiles(
  before: ReadonlyMap<string, ManifestFile>,
  { older, newest }: TwoLooks,
): Promise<ReadonlyMap<string, ManifestFile>> {
  const after: [string, ManifestFile][] = [];
  for (const path of [...new Set([...before.keys(), ...newest.files.keys()])].sort()) {
    const known = before.get(path) ?? null;
    const file = await readFile(path, known);
    if (file !== null) after.push([path, file]);
  }
  return new Map(after);

  async function readFile(path: string, known: ManifestFile | null): Promise<ManifestFile | null> {
    const stamp = newest.files.get(path);
    if (isHidden(newest, path) || older.files.get(path) !== stamp) return known;
    if (stamp === undefined || stamp === known?.stamp) return stamp === undefined ? null : known;
    return (await (known === null ? readManifestFile(path, stamp) : known.readAgain(stamp))) ?? known;
  }
}

function hasChanged(before: ReadonlyMap<string, ManifestFile>, after: ReadonlyMap<string, ManifestFile>): boolean {
  return before.size !== after.size || [...after].some(([path, file]) => before.get(path) !== file);
}

function problemsOf(scan: DirectoryScan, files: ReadonlyMap<string, ManifestFile>): readonly Problem[] {
  const unreadable = [...scan.unreadable].map(
    ([where, message]): Problem => ({ level: "error", where, object: null, path: "", message }),
  );
  return [...unreadable, ...[...files.values()].flatMap((file) => file.problems)];
}
