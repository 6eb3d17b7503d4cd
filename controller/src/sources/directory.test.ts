import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatProblem } from "../resources/object.ts";
import { createDirectorySource, type DirectorySourceOptions, whyUnusable } from "./directory.ts";
import { createRecordingSink, describeSource, policy, type RecordingSink, type TestObject } from "./source.contract.ts";

const log = pino({ level: "silent" });

describeSource("a directory", async () => {
  const dir = await mkdtemp(join(tmpdir(), "gatehouse-"));
  const fileOf = ({ metadata }: TestObject): string => join(dir, `${metadata.namespace}-${metadata.name}.json`);
  return {
    source: createDirectorySource({ path: dir, log }),
    put: (object) => writeAtOnce(fileOf(object), JSON.stringify(object)),
    remove: (object) => unlink(fileOf(object)),
    close: () => rm(dir, { recursive: true }),
  };
});

describe("a directory", () => {
  let dir: string;
  let sink: RecordingSink;
  let stop: AbortController;
  let finished: Promise<void>;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "gatehouse-"));
    sink = createRecordingSink();
    stop = new AbortController();
    finished = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await finished;
    await rm(dir, { recursive: true, force: true });
  });

  function start(options: Partial<DirectorySourceOptions> = {}): void {
    finished = createDirectorySource({ path: dir, log, ...options }).start(sink, stop.signal);
  }
  function write(file: string, ...objects: readonly unknown[]): Promise<void> {
    return writeAtOnce(join(dir, file), objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  }
  function problems(): readonly string[] {
    return sink.problems().map((problem) => formatProblem(problem).replaceAll(dir, "DIR"));
  }
  const hasProblem = (text: string): boolean => problems().some((problem) => problem.includes(text));
  const pathsOf = (name: string): string =>
    JSON.stringify(sink.objects.get(`AuthorizationPolicy/foo/${name}`)?.spec) ?? "";

  it("reads several documents, lists and subdirectories, and skips what is not meant for it", async () => {
    await mkdir(join(dir, "sub"));
    await write("a.yaml", policy("a", "/a"), policy("b", "/b"));
    await write("sub/list.yml", { apiVersion: "v1", kind: "List", items: [policy("c", "/c"), policy("d", "/d")] });
    await write("other.yaml", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" } });
    await write("notes.txt", "no YAML");
    await write(".hidden.yaml", policy("hidden", "/"));
    start();
    await sink.until(() => sink.isSynced());
    expect([...sink.objects.values()].map(({ metadata }) => metadata.name).sort()).toEqual(["a", "b", "c", "d"]);
    expect(problems()).toEqual([]);
  });

  it("follows the swap of a mounted ConfigMap as one batch", async () => {
    await mkdir(join(dir, "..2024"));
    await mkdir(join(dir, "..2025"));
    await write("..2024/a.yaml", policy("a", "/old"));
    await write("..2025/a.yaml", policy("a", "/new"), policy("b", "/b"));
    await symlink("..2024", join(dir, "..data"));
    await symlink("..data/a.yaml", join(dir, "a.yaml"));
    start();
    await sink.until(() => sink.isSynced());
    const before = sink.calls.length;
    await symlink("..2025", join(dir, "..data_tmp"));
    await rename(join(dir, "..data_tmp"), join(dir, "..data"));
    await sink.until(() => sink.objects.has("AuthorizationPolicy/foo/b") && sink.calls.at(-1) === "problems");
    expect(sink.calls.slice(before)).toEqual([
      "upsert AuthorizationPolicy/foo/a",
      "upsert AuthorizationPolicy/foo/b",
      "problems",
    ]);
    expect(pathsOf("a")).toContain("/new");
  });

  it("sees a change within a second", async () => {
    await write("a.yaml", policy("a", "/old"));
    start();
    await sink.until(() => sink.isSynced());
    const changedAt = performance.now();
    await write("a.yaml", policy("a", "/new"));
    await sink.until(() => pathsOf("a").includes("/new"));
    expect(performance.now() - changedAt).toBeLessThan(1000);
  });

  it("sees a change of a linked file outside of the tree, by looking again", async () => {
    const outside = await mkdtemp(join(tmpdir(), "gatehouse-outside-"));
    await writeAtOnce(join(outside, "a.yaml"), JSON.stringify(policy("a", "/old")));
    await symlink(join(outside, "a.yaml"), join(dir, "a.yaml"));
    start({ rescanMs: 50 });
    await sink.until(() => sink.isSynced());
    await writeAtOnce(join(outside, "a.yaml"), JSON.stringify(policy("a", "/new")));
    await sink.until(() => pathsOf("a").includes("/new"));
    await rm(outside, { recursive: true });
  });

  it("never drops an object while its file is written anew in two steps", async () => {
    await write("a.yaml", policy("a", "/old"));
    start();
    await sink.until(() => sink.isSynced());
    await writeFile(join(dir, "a.yaml"), "");
    await writeFile(join(dir, "a.yaml"), JSON.stringify(policy("a", "/new")));
    await sink.until(() => pathsOf("a").includes("/new"));
    expect(sink.calls.filter((call) => call.startsWith("delete"))).toEqual([]);
  });

  it("does not say synced while a file can't be parsed, until it can", async () => {
    await write("a.yaml", policy("a", "/a"));
    await writeFile(join(dir, "b.yaml"), "kind: [");
    start();
    await sink.until(() => hasProblem("DIR/b.yaml:1: can't be parsed"));
    expect(sink.isSynced()).toBe(false);
    await write("b.yaml", policy("b", "/b"));
    await sink.until(() => sink.isSynced());
    expect(problems()).toEqual([]);
  });

  it("says synced with a file that can't be parsed when partial reading is allowed", async () => {
    await write("a.yaml", policy("a", "/a"));
    await writeFile(join(dir, "b.yaml"), "kind: [");
    start({ allowPartial: true });
    await sink.until(() => sink.isSynced());
    expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/a"]);
    expect(hasProblem("DIR/b.yaml:1: can't be parsed")).toBe(true);
  });

  it("does not say synced while the directory does not exist, until it does", async () => {
    await rm(dir, { recursive: true });
    start({ rescanMs: 20 });
    await sink.until(() => hasProblem("DIR: does not exist"));
    expect(sink.isSynced()).toBe(false);
    await mkdir(dir);
    await sink.until(() => sink.isSynced());
  });

  it("keeps all objects when the directory goes away later", async () => {
    await write("a.yaml", policy("a", "/a"));
    start({ rescanMs: 20 });
    await sink.until(() => sink.isSynced());
    await rename(dir, `${dir}-moved`);
    await sink.until(() => hasProblem("DIR: does not exist"));
    expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/a"]);
    await rename(`${dir}-moved`, dir);
    await sink.until(() => problems().length === 0);
  });

  it("keeps what a file said when it can't be parsed any more", async () => {
    await write("a.yaml", policy("a", "/a"), policy("b", "/b"));
    start();
    await sink.until(() => sink.isSynced());
    await writeFile(join(dir, "a.yaml"), `${JSON.stringify(policy("a", "/new"))}\n---\nkind: [`);
    await sink.until(() => hasProblem("DIR/a.yaml:3: can't be parsed"));
    expect(pathsOf("a")).toContain('"/a"');
    expect(sink.objects.has("AuthorizationPolicy/foo/b")).toBe(true);
    expect(problems().at(-1)).toBe("DIR/a.yaml: the last version that could be read stays in force");
  });

  it.skipIf(process.getuid?.() === 0)("keeps what a file said when it can't be opened any more", async () => {
    await write("a.yaml", policy("a", "/a"));
    start();
    await sink.until(() => sink.isSynced());
    await chmod(join(dir, "a.yaml"), 0);
    await sink.until(() => hasProblem("permission denied"));
    expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/a"]);
  });

  it("refuses a file that is no UTF-8", async () => {
    await writeFile(join(dir, "a.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    start();
    await sink.until(() => hasProblem("DIR/a.yaml: is not UTF-8 text"));
    expect(sink.isSynced()).toBe(false);
  });

  it("takes the first of two definitions and names both places", async () => {
    await write("b.yaml", policy("x", "/second"));
    await write("a.yaml", policy("x", "/first"));
    start();
    await sink.until(() => sink.isSynced());
    expect(pathsOf("x")).toContain("/first");
    expect(problems()).toEqual([
      "DIR/b.yaml:1: AuthorizationPolicy foo/x: is already defined at DIR/a.yaml:1, which counts; remove one of the two",
    ]);
  });

  it("stays with the definition that is served when another one appears before it", async () => {
    await write("b.yaml", policy("x", "/served"));
    start();
    await sink.until(() => sink.isSynced());
    await write("a.yaml", policy("x", "/intruder"));
    await sink.until(() => hasProblem("DIR/a.yaml:1: AuthorizationPolicy foo/x: is already defined at DIR/b.yaml:1"));
    expect(pathsOf("x")).toContain("/served");
  });

  it("reports it when most objects vanish at once, and lets them go", async () => {
    const removals: (readonly [number, number])[] = [];
    await write("keep.yaml", policy("a", "/a"));
    await write("many.yaml", policy("b", "/b"), policy("c", "/c"));
    start({ onMassRemoval: (removed, before) => removals.push([removed, before]) });
    await sink.until(() => sink.isSynced());
    await unlink(join(dir, "many.yaml"));
    await sink.until(() => hasProblem("2 of 3 objects vanished at once"));
    expect([...sink.objects.keys()]).toEqual(["AuthorizationPolicy/foo/a"]);
    expect(removals).toEqual([[2, 3]]);
  });

  it("does not run in circles when a link leads back up", async () => {
    await mkdir(join(dir, "sub"));
    await symlink("..", join(dir, "sub/up"));
    await write("sub/a.yaml", policy("a", "/a"));
    start();
    await sink.until(() => sink.isSynced());
    expect(problems()).toEqual([]);
  });

  it("is told apart from a file and from nothing before the start", async () => {
    await write("a.yaml", policy("a", "/a"));
    expect(await whyUnusable(dir)).toBe(null);
    expect(await whyUnusable(join(dir, "a.yaml"))).toBe(`${dir}/a.yaml: is not a directory`);
    expect(await whyUnusable(join(dir, "none"))).toBe(`${dir}/none: does not exist`);
  });
});

/** As a careful program writes: nobody ever sees half of the file. */
async function writeAtOnce(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
