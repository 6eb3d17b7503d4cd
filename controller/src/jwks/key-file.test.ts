import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KeyFile, type SavedKeys } from "./key-file.ts";

const KEY = {
  kty: "OKP",
  crv: "Ed25519",
  kid: "ed",
  alg: "",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
} as const;
const SAVED: SavedKeys = { keySet: "remote-a", keys: [KEY], fetchedAtMs: 1_800_000_000_000 };

let directory: string;
let path: string;
let warnings: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-keys-"));
  path = join(directory, "keys.json");
  warnings = [];
});

afterEach(() => rm(directory, { recursive: true }));

function open(where = directory): KeyFile {
  return new KeyFile(where, pino({}, { write: (line: string) => void warnings.push(line) }));
}

async function save(where = directory): Promise<void> {
  const file = open(where);
  file.changed(() => [SAVED]);
  await file.flush();
}

it("gives back what was saved, from a file that is ours alone", async () => {
  expect(await open().load()).toEqual([]);
  await save();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await open().load()).toEqual([SAVED]);
  expect(warnings).toEqual([]);
});

it.each([
  ["damaged", async () => writeFile(path, (await readFile(path, "utf8")).slice(0, -5))],
  ["of another version", async () => writeFile(path, '{"schema":2,"sources":[]}')],
  ["writable by group or others", () => chmod(path, 0o666)],
  [
    "ELOOP",
    async () => {
      await writeFile(`${path}.other`, await readFile(path));
      await rm(path);
      await symlink(`${path}.other`, path);
    },
  ],
])("ignores a file that may not be believed: %s", async (reason, spoil) => {
  await save();
  await spoil();
  expect(await open().load()).toEqual([]);
  expect(warnings.join()).toContain(reason);
});

it("takes no key from the file that it would not take from an issuer", async () => {
  const secret = { kty: "oct", kid: "s", alg: "HS256", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U" };
  const sources = [{ ...SAVED, keys: [secret, KEY] }, { ...SAVED, keySet: "remote-b", keys: [secret] }, { keySet: 1 }];
  await writeFile(path, JSON.stringify({ schema: 1, sources }), { mode: 0o600 });
  expect(await open().load()).toEqual([SAVED]);
});

it("warns once when it can't write, and writes when it can again", async () => {
  const blocked = join(directory, "blocked");
  await writeFile(blocked, "");
  const file = open(blocked);
  for (let i = 0; i < 3; i++) {
    file.changed(() => [SAVED]);
    await file.flush();
  }
  expect(warnings).toHaveLength(1);
  await rm(blocked);
  file.changed(() => [SAVED]);
  await file.flush();
  expect(await open(blocked).load()).toEqual([SAVED]);
});
