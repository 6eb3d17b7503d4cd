import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/** Paths of the files that are in the repository or would be, ignored ones left out. */
export function repositoryFiles(root: string): readonly string[] {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  const paths = new Set(list.toString().split("\0"));
  return [...paths].filter((path) => path !== "" && statSync(join(root, path), { throwIfNoEntry: false })?.isFile());
}
