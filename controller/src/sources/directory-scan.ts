import type { BigIntStats } from "node:fs";
import { readdir, stat } from "node:fs/promises";

/** What a directory tree looks like from outside: nothing has been read yet. */
export interface DirectoryScan {
  /** Manifest files by path, with a stamp that changes whenever the file does. Paths begin as the root was given. */
  readonly files: ReadonlyMap<string, string>;
  /** Directories by path, with a stamp that tells one directory from another in its place. */
  readonly directories: ReadonlyMap<string, string>;
  /** What could not be looked at, with the reason. What lies below is unknown, not gone. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Lists the files named *.yaml, *.yml and *.json of a tree, in the order of their paths. Hidden names are skipped, links are followed:
 * a mounted ConfigMap consists of links into a hidden directory.
 */
export async function scanDirectory(root: string): Promise<DirectoryScan> {
  const scan = {
    files: new Map<string, string>(),
    directories: new Map<string, string>(),
    unreadable: new Map<string, string>(),
  };
  await visit(root.length > 1 ? root.replace(/\/+$/, "") : root, []);
  return { ...scan, files: new Map([...scan.files].sort(([a], [b]) => (a < b ? -1 : 1))) };

  async function visit(path: string, parents: readonly string[]): Promise<void> {
    const isRoot = parents.length === 0;
    try {
      const stats = await stat(path, { bigint: true });
      if (stats.isDirectory()) await visitDirectory(path, stats, parents);
      else if (isRoot) scan.unreadable.set(path, "is not a directory");
      else if (stats.isFile() && /\.(yaml|yml|json)$/.test(path)) scan.files.set(path, fileStamp(stats));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // Below the root, a file may go between being listed and being looked at. A missing root is a mount that is not there (any more).
      if (code !== "ENOENT" || isRoot) scan.unreadable.set(path, reasonOf(error));
    }
  }

  async function visitDirectory(path: string, { dev, ino }: BigIntStats, parents: readonly string[]): Promise<void> {
    const id = `${dev}:${ino}`;
    if (parents.includes(id)) return; // a link that leads back up
    scan.directories.set(path, id);
    const names = (await readdir(path)).filter((name) => !name.startsWith("."));
    await Promise.all(names.map((name) => visit(`${path}/${name}`, [...parents, id])));
  }
}

/** The stamp that `scanDirectory` gives a file. */
export function fileStamp({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/** Whether two scans saw the same. */
export function isSameScan(a: DirectoryScan, b: DirectoryScan): boolean {
  return isSameMap(a.files, b.files) && isSameMap(a.unreadable, b.unreadable);
}

/** Whether a path lies at or below something that could not be looked at. */
export function isHidden(scan: DirectoryScan, path: string): boolean {
  return [...scan.unreadable.keys()].some((unreadable) => path === unreadable || path.startsWith(`${unreadable}/`));
}

/** Says in a few words why a path can't be used, and what to do. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return "does not exist";
    case "EACCES":
    case "EPERM":
      return "can't be read: permission denied; make it readable for this user";
    case "ENOTDIR":
      return "is not a directory";
    default:
      return `can't be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
