import type { CollectedAttack } from "./collect-attacks.ts";
import { NOT_YET, SECURITY_CHAPTERS, SECURITY_IDS, type SecurityChapter } from "./ids.ts";

/**
 * The page docs/security.md. An id without a test is shown as such, and another test fails.
 * @throws Error when a test has an id that is not in the list
 */
export function renderTable(attacks: readonly CollectedAttack[]): string {
  const unknown = attacks.filter(({ id }) => !SECURITY_IDS.includes(id));
  if (unknown.length > 0)
    throw new Error(`not in ids.ts: ${unknown.map(({ id, file }) => `${id} (${file})`).join(", ")}`);
  return [HEAD, ...SECURITY_CHAPTERS.map((chapter) => renderChapter(chapter, attacks))].join("\n");
}

const HEAD = `# Known attacks

<!-- Written by test/security/generate-table.ts from the tests. Do not edit; run \`npm run generate\`. -->

Every attack on an authorizing proxy that we know of, from the advisories of Istio, Envoy and their like, has a test that makes it. This page is written from these tests.

- **Severity** is how bad the flaw would be: C critical, H high, M medium, L low.
- **Mode** is where the outcome holds: *exact* is the default, with Istio's answers; *strict* has the setting \`strictPaths\`; *hardened* is Envoy with
  [hardened.yaml](../deploy/envoy/hardened.yaml) in front of a strict server. Without a mode the outcome does not depend on it.
- **Level** is where the attack is made: bytes to a real Envoy (*envoy*), one CheckRequest (*check*), a token, the policy and its way (*policy*), or one part (*unit*).

How to report a vulnerability: [SECURITY.md](../SECURITY.md). What a fuzzer may throw at each entry is in \`test/fuzz\`.
`;

function renderChapter({ letter, title, attacks }: SecurityChapter, tests: readonly CollectedAttack[]): string {
  const rows = Object.entries(attacks).flatMap(([id, about]) => {
    const reason = NOT_YET[id];
    if (reason !== undefined) return [row([id, "", "", about, `not yet: ${reason}`, "", ""])];
    const own = tests.filter((test) => test.id === id).toSorted(byFileAndTitle);
    if (own.length === 0) return [row([id, "", "", about, "no test", "", ""])];
    return own.map((test) =>
      row([id, test.severity, test.source, test.title, test.outcome, where(test), link(test.file)]),
    );
  });
  const head = [
    row(["id", "severity", "source", "attack", "outcome", "mode, level", "test"]),
    row(new Array(7).fill("---")),
  ];
  return [`## ${letter}. ${title}`, "", ...head, ...new Set(rows), ""].join("\n");
}

function where({ mode, level }: CollectedAttack): string {
  return mode.length === 3 ? level : `${mode.join(", ")}: ${level}`;
}

function link(file: string): string {
  return `[${file.replace(/^.*\/|\.test\.ts$/g, "")}](../${file})`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll("  |", " |");
}

function byFileAndTitle(a: CollectedAttack, b: CollectedAttack): number {
  return compare(a.file, b.file) || compare(a.title, b.title) || compare(where(a), where(b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
