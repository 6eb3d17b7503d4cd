import { type FSWatcher, watch } from "node:fs";

/** Watches a set of directories that changes as the tree does. */
export interface DirectoryWatch {
  /** Watches exactly these from now on. @param directories path to identity, as of a scan */
  follow(directories: ReadonlyMap<string, string>): void;
  close(): void;
}

/**
 * Calls back when something in one of the directories changes. A hint only: systems lose events, or have no watches left, and the
 * targets of links are not watched; whoever needs to be sure also looks from time to time.
 */
export function watchDirectories(onEvent: () => void): DirectoryWatch {
  const watchers = new Map<string, FSWatcher>();
  return {
    follow(directories) {
      const wanted = new Map([...directories].map(([path, id]) => [`${path} ${id}`, path]));
      for (const [key, watcher] of watchers) if (!wanted.has(key)) stop(key, watcher);
      for (const [key, path] of wanted) if (!watchers.has(key)) start(key, path);
    },
    close() {
      for (const [key, watcher] of watchers) stop(key, watcher);
    },
  };

  function start(key: string, path: string): void {
    try {
      const watcher = watch(path, onEvent);
      watcher.on("error", () => stop(key, watcher));
      watchers.set(key, watcher);
      onEvent(); // what happened between the scan and this moment
    } catch {
      // Out of watches, or the directory has gone: the next look at the tree finds out.
    }
  }

  function stop(key: string, watcher: FSWatcher): void {
    watcher.close();
    watchers.delete(key);
  }
}
