import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LastGoodFile } from "./last-good.ts";
import { decodeLastGood, encodeLastGood } from "./last-good-format.ts";
import type { PolicySnapshot } from "./policy-snapshot.ts";

const SNAPSHOT: PolicySnapshot = {
  setVersion: "00ff00ff00ff00ff",
  acceptedAtMs: 1_700_000_000_000,
  resources: [
    { name: "MeshConfig//default", version: "v1", bytes: new Uint8Array([1, 2, 3]) },
    { name: "AuthorizationPolicy/foo/ümlaut", version: "v2", bytes: new Uint8Array(0) },
  ],
};

let directory: string;
let warnings: string[];
let results: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "last-good-"));
  warnings = [];
  results = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function open(minIntervalMs = 60_000): LastGoodFile {
  const log = pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) });
  return new LastGoodFile({
    directory,
    minIntervalMs,
    metrics: { lastGood: (result) => void results.push(result) },
    log,
  });
}

async function save(snapshot: PolicySnapshot): Promise<string> {
  const file = open();
  file.changed(() => snapshot);
  await file.flush();
  return join(directory, "last-good");
}

describe("LastGoodFile", () => {
  test("gives back what was saved", async () => {
    await save(SNAPSHOT);
    expect(await open().load()).toEqual(SNAPSHOT);
  });

  test("writes a file that only its owner can read, and leaves no temporary file", async () => {
    const path = await save(SNAPSHOT);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["last-good"]);
  });

  test("finds nothing, without a warning, where nothing was saved", async () => {
    expect(await open().load()).toBeNull();
    expect(warnings).toEqual([]);
  });

  test("writes many changes once, with the last content", async () => {
    const file = open(1);
    let writes = 0;
    for (let index = 0; index < 100; index += 1) {
      file.changed(() => {
        writes += 1;
        return { ...SNAPSHOT, setVersion: String(index) };
      });
    }
    await file.flush();
    expect(writes).toBe(1);
    expect((await open().load())?.setVersion).toBe("99");
  });

  test("ignores a file of which any single bit was changed", async () => {
    const path = await save(SNAPSHOT);
    const bytes = await readFile(path);
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = Buffer.from(bytes);
      damaged[index] = (damaged[index] ?? 0) ^ 0x04;
      expect(() => decodeLastGood(damaged), `byte ${index}`).toThrow();
    }
    await writeFile(path, bytes.subarray(0, bytes.length / 2));
    expect(await open().load()).toBeNull();
    expect(warnings.join()).toContain("checksum");
  });

  test("ignores a file of another schema version", async () => {
    const path = await save(SNAPSHOT);
    const text = await readFile(path, "latin1");
    await writeFile(path, text.replace("gatehouse-last-good 1 ", "gatehouse-last-good 2 "), "latin1");
    expect(await open().load()).toBeNull();
    expect(warnings.join()).toContain("schema version 2 is not known");
  });

  test.each([0o620, 0o602])("ignores a file with mode %o: someone else could have written it", async (mode) => {
    const path = await save(SNAPSHOT);
    await chmod(path, mode);
    expect(await open().load()).toBeNull();
    expect(warnings.join()).toContain("writable by group or others");
  });

  test("ignores a symbolic link", async () => {
    const path = await save(SNAPSHOT);
    const other = join(directory, "other");
    await writeFile(other, await readFile(path), { mode: 0o600 });
    await rm(path);
    await symlink(other, path);
    expect(await open().load()).toBeNull();
    expect(results).toContain("ignored");
  });

  test.skipIf(process.getuid?.() !== 0)("ignores a file that another user owns", async () => {
    const path = await save(SNAPSHOT);
    const { chown } = await import("node:fs/promises");
    await chown(path, 12_345, 12_345);
    expect(await open().load()).toBeNull();
    expect(warnings.join()).toContain("owned by uid 12345");
  });

  test("keeps going when the file can't be written, warns once, and writes again when it can", async () => {
    const path = join(directory, "last-good");
    await mkdir(path); // a directory where the file should be: renaming onto it fails, for root too
    const file = open();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      file.changed(() => SNAPSHOT);
      await file.flush();
    }
    expect(warnings).toHaveLength(1);
    expect(results).toEqual(["write_failed", "write_failed", "write_failed"]);
    expect(await readdir(directory)).toEqual(["last-good"]);

    await rm(path, { recursive: true });
    file.changed(() => SNAPSHOT);
    await file.flush();
    expect(await open().load()).toEqual(SNAPSHOT);
  });
});

describe("LastGoodFile on a disk that becomes full within a write", () => {
  test("keeps the file before it, and says so", async () => {
    const path = await save(SNAPSHOT);
    // The limit stands for the disk: of a write that reaches it, a part is taken, and no error is told.
    const command = `ulimit -f 40; exec "${process.execPath}" --conditions=source --input-type=module -`;
    const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(SAVE_100_KB(directory));
    expect(await text(child.stdout)).toBe("write_failed");
    expect(await open().load()).toEqual(SNAPSHOT);
    expect(await readdir(directory)).toEqual([basename(path)]);
  });
});

const SAVE_100_KB = (directory: string): string => `
  const { LastGoodFile } = await import(${JSON.stringify(new URL("last-good.ts", import.meta.url))});
  const file = new LastGoodFile({
    directory: ${JSON.stringify(directory)},
    minIntervalMs: 60_000,
    metrics: { lastGood: (result) => process.stdout.write(result) },
    log: { warn() {} },
  });
  const resource = { name: "MeshConfig//default", version: "v1", bytes: new Uint8Array(100_000) };
  file.changed(() => ({ setVersion: "1", acceptedAtMs: 0, resources: [resource] }));
  await file.flush();
`;

describe("encodeLastGood", () => {
  test("round-trips resources of any size, with names of any letters, across its portions", async () => {
    const sizes = [0, 1, 3 * 1024 * 1024, 0, 700_000, 700_000, ...Array.from({ length: 2500 }, (_, index) => index)];
    const resources = sizes.map((size, index) => ({
      name: `AuthorizationPolicy/ns/${["p", "ümlaut", "日本", "😀", "\ud800"][index % 5]}${index}`.toWellFormed(),
      version: `v${index}`,
      bytes: new Uint8Array(size).fill(index),
    }));
    const snapshot = { ...SNAPSHOT, resources };
    expect(decodeLastGood(Buffer.concat(await encodeLastGood(snapshot)))).toEqual(snapshot);
    const none = { ...SNAPSHOT, resources: [] };
    expect(decodeLastGood(Buffer.concat(await encodeLastGood(none)))).toEqual(none);
  });

  test("leaves turns of the event loop to checks between portions of many small resources", async () => {
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      ticking = setImmediate(tick);
    };
    let ticking = setImmediate(tick);
    const resource = { name: "AuthorizationPolicy/foo/a", version: "v", bytes: new Uint8Array(100) };
    await encodeLastGood({ ...SNAPSHOT, resources: new Array(10_000).fill(resource) });
    clearImmediate(ticking);
    expect(turns).toBeGreaterThanOrEqual(8);
  });

  test("round-trips 10,000 resources", async () => {
    const resources = Array.from({ length: 10_000 }, (_, index) => ({
      name: `AuthorizationPolicy/ns/p${index}`,
      version: `v${index}`,
      bytes: new Uint8Array(500).fill(index),
    }));
    const snapshot = { ...SNAPSHOT, resources };
    expect(decodeLastGood(Buffer.concat(await encodeLastGood(snapshot)))).toEqual(snapshot);
  });
});
