import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFlags, readSettings } from "./read-settings.ts";
import { choice, onOff, port, requiredText, text, texts, wholeNumber } from "./setting.ts";
import { UserError } from "./user-error.ts";

const table = {
  resources: requiredText("Directory", "DIR"),
  meshConfig: text("File", "FILE", null),
  checkPort: port("Port", 9001),
  drainWaitMs: wholeNumber("Milliseconds", "MS", { min: 0, max: 1000, default: 200 }),
  routing: choice("Routing", ["cluster", "header"], "cluster"),
  strictPaths: onOff("Strict"),
  lastGood: onOff("Keep none", { isOnByDefault: true }),
  listen: texts("Port", "PORT"),
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "settings-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(args: readonly string[], file?: string) {
  const command = new Command("test").exitOverride().configureOutput({ outputError: () => undefined });
  addFlags(command, table);
  const path = join(directory, "gatehouse.yaml");
  if (file !== undefined) writeFileSync(path, file);
  command.parse(file === undefined ? args : [...args, "--config", path], { from: "user" });
  return readSettings(command, table);
}

function problemsOf(args: readonly string[], file?: string): readonly string[] {
  try {
    read(args, file);
  } catch (error) {
    if (error instanceof UserError) return error.problems.map((problem) => problem.replace(directory, "DIR"));
    throw error;
  }
  return [];
}

test("takes defaults where nothing is given", () => {
  expect(read(["--resources", "policies"])).toEqual({
    resources: "policies",
    meshConfig: null,
    checkPort: 9001,
    drainWaitMs: 200,
    routing: "cluster",
    strictPaths: false,
    lastGood: true,
    listen: [],
  });
});

test("takes flags, repeated ones as a list", () => {
  const args = "--resources d --check-port 0 --routing header --strict-paths --no-last-good --listen a --listen b";
  expect(read(args.split(" "))).toMatchObject({
    checkPort: 0,
    routing: "header",
    strictPaths: true,
    lastGood: false,
    listen: ["a", "b"],
  });
});

test("takes the file where there is no flag", () => {
  const file = "resources: from-file\ncheckPort: 1234\nstrictPaths: true\nlastGood: false\nlisten: [a, b]\n";
  expect(read(["--check-port", "99"], file)).toMatchObject({
    resources: "from-file",
    checkPort: 99,
    strictPaths: true,
    lastGood: false,
    listen: ["a", "b"],
  });
});

test("reports every problem of flags and file at once, with line numbers", () => {
  const file = "checkport: 1\ndrainWaitMs: soon\nrouting: no\nlisten: a\nstrictPaths: 1\n";
  expect(problemsOf(["--check-port", "70000"], file)).toEqual([
    "DIR/gatehouse.yaml:1: checkport: not a setting of this command; see --help",
    "--resources is missing; see --help",
    '--check-port: "70000" is not a whole number from 0 to 65535',
    'DIR/gatehouse.yaml:2: drainWaitMs: "soon" is not a whole number from 0 to 1000',
    'DIR/gatehouse.yaml:3: routing: "no" is not one of cluster, header',
    "DIR/gatehouse.yaml:5: strictPaths: 1 is not true or false",
    'DIR/gatehouse.yaml:4: listen: "a" is not a list',
  ]);
});

test.each([
  ["a: [", /^DIR\/gatehouse\.yaml:1: /],
  ["- a", /expected "name: value" lines/],
  ["checkPort: 1\ncheckPort: 2", /^DIR\/gatehouse\.yaml:2: Map keys must be unique/],
])("explains a file that is no settings: %s", (file, expected) => {
  expect(problemsOf(["--resources", "d"], file)).toContainEqual(expect.stringMatching(expected));
});

test("says when the file can't be read", () => {
  expect(problemsOf(["--resources", "d", "--config", join(directory, "none")])).toEqual([
    expect.stringMatching(/^--config: cannot read DIR\/none: ENOENT/),
  ]);
});
