import { mkdtemp, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type MeshConfigFile, openMeshConfigFile } from "./mesh-config-file.ts";

let directory: string;
let path: string;
let logged: Record<string, unknown>[];
let ending: AbortController;
let watching: Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-mesh-"));
  path = join(directory, "mesh.yaml");
  logged = [];
  ending = new AbortController();
  watching = Promise.resolve();
});

afterEach(async () => {
  ending.abort();
  await watching;
  await rm(directory, { recursive: true });
});

function open(file: string | null): Promise<MeshConfigFile> {
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return openMeshConfigFile(file, { strictPaths: true }, log);
}

it("takes Istio's defaults and our settings without a file, once", async () => {
  const mesh = await open(null);
  expect(mesh.take()).toMatchObject([{ rootNamespace: "istio-system", strictPaths: true }]);
  expect(mesh.take()).toBe(null);
});

it("refuses to start with a file that is missing or faulty, saying where", async () => {
  await expect(open(path)).rejects.toThrow(`mesh config ${path} can't be read`);
  await writeFile(path, "rootNamespace: [1, 2]");
  await expect(open(path)).rejects.toThrow(`mesh config ${path}: rootNamespace: must be a text`);
});

it("lists fields that are not used, once", async () => {
  await writeFile(path, "rootNamespace: config\nenableTracing: true");
  await open(path);
  expect(logged).toMatchObject([{ fields: ["enableTracing"], file: path }]);
});

it("follows the file, keeps the last good content while it is faulty, and recovers", async () => {
  const first = join(directory, "first.yaml");
  await writeFile(first, "rootNamespace: one");
  await symlink(first, path);
  const mesh = await open(path);
  mesh.take();
  let changes = 0;
  watching = mesh.watch(() => {
    changes += 1;
  }, ending.signal);

  await writeFile(join(directory, "second.yaml"), "rootNamespace: two");
  await unlink(path);
  await symlink(join(directory, "second.yaml"), path);
  await expect.poll(() => changes).toBe(1);
  expect(mesh.take()).toMatchObject([{ rootNamespace: "two" }]);

  await writeFile(path, "rootNamespace: {");
  await expect.poll(() => mesh.problems()).toEqual([expect.stringContaining(`mesh config ${path}`)]);
  expect(mesh.take()).toBe(null);

  await writeFile(path, "rootNamespace: two");
  await expect.poll(() => mesh.problems()).toEqual([]);
  expect(changes).toBe(1);
});
