import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { repositoryFiles } from "./files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

// Spelt in pieces, so that this file does not find itself.
const forbidden: Readonly<Record<string, RegExp>> = {
  "the host of a package registry": new RegExp(
    ["registry\\.npm", "js|files\\.python", "hosted|pypi\\.", "org/simple|proxy\\.gol", "ang|deb\\.deb", "ian"].join(
      "",
    ),
  ),
  "a path of one machine": new RegExp(
    ["(?<![\\w./-])/wor", "k/|(?<![\\w./-])/ho", "me/\\w|(?<![\\w./-])/ro", "ot/"].join(""),
  ),
  "a path outside of the repository": new RegExp(["\\.\\./sha", "red\\b"].join("")),
};

test.each(Object.entries(forbidden))("no file of the repository names %s", (_what, pattern) => {
  const found = textFiles().flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
  expect(found).toEqual([]);
});

/** Binary and very large files left out. */
function textFiles(): readonly { path: string; text: string }[] {
  return repositoryFiles(root)
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, "utf8") }))
    .filter(({ text }) => !text.includes("\0") && text.length < 2_000_000);
}
