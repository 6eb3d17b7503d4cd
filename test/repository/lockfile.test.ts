import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { completeLockfile, type Lockfile, missingOptional } from "./lockfile.ts";

const lockfile: Lockfile = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));

test("package-lock.json names no registry, so any mirror serves it", () => {
  const remote = Object.entries(lockfile.packages)
    .filter(([, entry]) => entry.resolved?.includes("://"))
    .map(([path]) => path);
  expect(remote).toEqual([]);
});

test("package-lock.json holds the optional packages of every platform, without which `npm ci` refuses it (`make lock`)", () => {
  expect(missingOptional(lockfile.packages)).toEqual([]);
});

test("a missing platform package is added with version, os, cpu and libc", () => {
  const { packages, added } = completeLockfile({
    "node_modules/tool": {
      version: "1.2.3",
      dev: true,
      optionalDependencies: { "@tool/linux-arm64-musl": "1.2.3", "@tool/darwin-x64": "1.2.3" },
    },
    "node_modules/@tool/darwin-x64": { version: "1.2.3", optional: true },
  });
  expect(added).toEqual(["node_modules/@tool/linux-arm64-musl"]);
  expect(packages["node_modules/@tool/linux-arm64-musl"]).toEqual({
    version: "1.2.3",
    cpu: ["arm64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
});
