import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { repositoryFiles } from "./files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const documents = repositoryFiles(root).filter((path) => path.endsWith(".md"));

test.each(documents)("every relative link of %s leads somewhere", (document) => {
  const text = readFileSync(join(root, document), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? "");
  const broken = links.filter((link) => !link.includes(":") && !existsSync(join(root, dirname(document), link)));
  expect(broken).toEqual([]);
});

test("every file that the architecture page names exists", () => {
  const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const named = [...text.matchAll(/`((?:protos|controller|authz-server|cli|test|crds|deploy)\/[\w./-]*)`/g)].map(
    ([, path]) => path ?? "",
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
