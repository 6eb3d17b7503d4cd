/**
 * Writes docs/security.md from the tests of this folder. `--check` writes nothing and fails when the file is not what it would write.
 * The tests are collected, not run.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { collectAttacks } from "./collect-attacks.ts";
import { renderTable } from "./render-table.ts";

const page = new URL("../../docs/security.md", import.meta.url);
const text = renderTable(await collectAttacks());
if (!process.argv.includes("--check")) writeFileSync(page, text);
else if (readFileSync(page, "utf8") !== text) {
  process.stderr.write("docs/security.md is not current: run `npm run generate`\n");
  process.exitCode = 1;
}
