import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startGatehouse } from "../support/gatehouse.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/operations.md"), "utf8");

test.each(["standalone", "controller", "authz-server", "explain"])(
  "the operations page names every flag of gatehouse %s",
  (command) => {
    const help = execFileSync(process.execPath, [join(root, "cli/bin/gatehouse.js"), command, "--help"], {
      encoding: "utf8",
    });
    const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
    expect(flags.length).toBeGreaterThan(5);
    expect(flags.filter((flag) => flag !== "--help" && !page.includes(`\`${flag}`))).toEqual([]);
  },
);

test("the operations page names every metric, and none that does not exist", async () => {
  const gatehouse = await startGatehouse();
  try {
    const existing = [...(await gatehouse.metrics()).matchAll(/^# TYPE (gatehouse_\w+)/gm)].map(([, name]) => name);
    const named = [...page.matchAll(/^\| `(gatehouse_\w+)`/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(existing.toSorted());
  } finally {
    await gatehouse.stop();
  }
});
