import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Lockfile } from "./lockfile.ts";

// The first releases without the known holes that matter to a server of this kind. The version of Envoy is checked by
// test/support/install-envoy.sh, which refuses an unsafe one.
const oldestSafe: Readonly<Record<string, string>> = {
  "@grpc/grpc-js": "1.14.4", // CVE-2026-48068, -48069: one malformed message ends the server
  undici: "8.9.0", // the advisories before it: it talks to the API server and to issuers of keys
  protobufjs: "7.6.5", // CVE-2026-41242, -44289, -44291, -44292, -59877
};

const lockfile: Lockfile = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));

test("tests run on a Node without CVE-2026-21714", () => {
  expect(compareVersions(process.versions.node, "24.14.1"), process.versions.node).toBeGreaterThanOrEqual(0);
});

test.each(Object.entries(oldestSafe))("every installed %s is %s or later", (name, oldest) => {
  const installed = Object.entries(lockfile.packages)
    .filter(([path]) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`))
    .map(([, entry]) => entry.version ?? "0.0.0");
  expect(installed).not.toEqual([]);
  expect(installed.filter((version) => compareVersions(version, oldest) < 0)).toEqual([]);
});

test("the Helm chart has the version of the packages", () => {
  const chart = readFileSync(new URL("../../deploy/helm/gatehouse/Chart.yaml", import.meta.url), "utf8");
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(chart).toContain(`\nversion: ${version}\n`);
  expect(chart).toContain(`\nappVersion: ${version}\n`);
});

/** Compares the numbers of two versions; parts after a dash are ignored. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (const [i, number] of left.entries()) {
    const difference = number - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): readonly number[] {
  return (version.split("-")[0] ?? "").split(".").map(Number);
}
