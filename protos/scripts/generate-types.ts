/**
 * Writes the TypeScript types of our .proto files to src/wire/gen, or with `--check` says whether those there are current.
 * Usage: node scripts/generate-types.ts [--check]
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { loadOptions, protoRoot } from "../src/wire/load.ts";

const committedDir = join(protoRoot, "src/wire/gen");

/** They define services, so that the types of clients and handlers are needed too. */
const serviceFiles = [
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/auth/v3/external_auth.proto",
  "grpc/health/v1/health.proto",
];
const messageFiles = ["policy_resource", "workload", "unenforceable_resources"].map(
  (name) => `gatehouse/policy/v1/${name}.proto`,
);

/** The types describe what the loader makes, so its options decide. */
const shape = [
  `--longs=${typeName(loadOptions.longs)}`,
  `--enums=${typeName(loadOptions.enums)}`,
  `--defaults=${loadOptions.defaults === true}`,
  `--oneofs=${loadOptions.oneofs === true}`,
  `--keepCase=${loadOptions.keepCase === true}`,
];
// --importFileExtension is missing in the tool's help.
const form = ["--includeComments", "--importFileExtension=.ts", "-I", "."];

const freshDir = mkdtempSync(join(tmpdir(), "gatehouse-gen-"));
try {
  generate(["--grpcLib=@grpc/grpc-js"], serviceFiles);
  generate([], messageFiles);
  if (process.argv.includes("--check")) check();
  else replace();
} finally {
  rmSync(freshDir, { recursive: true });
}

function typeName(option: unknown): string {
  return typeof option === "function" ? option.name : String(option);
}

function generate(options: readonly string[], files: readonly string[]): void {
  const bin = createRequire(import.meta.url).resolve("@grpc/proto-loader/build/bin/proto-loader-gen-types.js");
  const args = [bin, ...shape, ...form, ...options, "-O", freshDir, ...files];
  execFileSync(process.execPath, args, { cwd: protoRoot, stdio: ["ignore", "inherit", "inherit"] });
}

function replace(): void {
  rmSync(committedDir, { recursive: true, force: true });
  cpSync(freshDir, committedDir, { recursive: true });
}

function check(): void {
  const stale = differences(contents(freshDir), contents(committedDir));
  if (stale.length === 0) return;
  process.stderr.write(`protos/src/wire/gen is not current: ${stale.join(", ")}. Run: npm run generate -w protos\n`);
  process.exitCode = 1;
}

function differences(fresh: ReadonlyMap<string, string>, committed: ReadonlyMap<string, string>): string[] {
  const names = new Set([...fresh.keys(), ...committed.keys()]);
  return [...names].filter((name) => fresh.get(name) !== committed.get(name)).sort();
}

function contents(dir: string): ReadonlyMap<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [path.slice(dir.length + 1), readFileSync(path, "utf8")];
    }),
  );
}
