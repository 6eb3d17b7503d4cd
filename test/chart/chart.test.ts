import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const chart = `${root}/deploy/helm/gatehouse`;
const run = promisify(execFile);

/** Where install-helm.sh put them. */
const tools = (await run(`${root}/test/support/install-helm.sh`)).stdout.trim();

test("helm lint --strict finds nothing", async () => {
  expect((await helm("lint", "--strict", chart)).replaceAll(/^.*INFO.*$\n?/gm, "")).toContain("0 chart(s) failed");
});

test("the suites of helm-unittest pass", async () => {
  const suites = readdirSync(`${chart}/tests`).filter((file) => file.endsWith("_test.yaml")).length;
  const { stdout } = await run(`${tools}/helm-unittest`, [chart]);
  expect(stripVTControlCharacters(stdout)).toContain(`Test Suites: ${suites} passed, ${suites} total`);
});

test.each(["default", "everything"])("renders the golden output with %s values", async (name) => {
  const rendered = await helm("template", "gatehouse", chart, ...valuesOf(name));
  const golden = new URL(`testdata/${name}.out.yaml`, import.meta.url);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, rendered);
  expect(rendered).toBe(readFileSync(golden, "utf8"));
});

test("gives no flag that the operations page does not name", async () => {
  const rendered = await helm("template", "gatehouse", chart, ...valuesOf("everything"));
  const page = readFileSync(`${root}/docs/operations.md`, "utf8");
  const flags = [...rendered.matchAll(/^ +- (--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
  expect(flags.length).toBeGreaterThan(20);
  expect(flags.filter((flag) => !page.includes(`\`${flag}`))).toEqual([]);
});

async function helm(...args: readonly string[]): Promise<string> {
  return (await run(`${tools}/helm`, args)).stdout;
}

function valuesOf(name: string): readonly string[] {
  const file = fileURLToPath(new URL(`testdata/${name}.in.yaml`, import.meta.url));
  return ["--namespace", "gatehouse-system", "--kube-version", "1.36.0", "--values", file];
}
