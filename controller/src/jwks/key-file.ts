import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Jwk } from "@gatehouse/protos";
import type { Logger } from "pino";
import { readFetchedJwks } from "../translate/jwks.ts";

/** The keys of one source as they are kept on disk. */
export interface SavedKeys {
  /** `KeySet.name`, which stands for the issuer and the URI. */
  readonly keySet: string;
  readonly keys: readonly Jwk[];
  /** Wall clock, milliseconds since the epoch. */
  readonly fetchedAtMs: number;
}

const FILE_NAME = "keys.json";
const SCHEMA = 1;
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const WRITE_DELAY_MS = 1000;

/**
 * Fetched keys on disk, so that a controller that restarts while an issuer is down still has them. Only public keys are in it.
 * Never fails: what can't be read is ignored with a warning, what can't be written is tried again at the next change.
 */
export class KeyFile {
  readonly #path: string;
  readonly #log: Logger;
  #pending: (() => readonly SavedKeys[]) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #hasWarned = false;

  /** @param directory created with mode 0700 when the first keys are written */
  constructor(directory: string, log: Logger) {
    this.#path = join(directory, FILE_NAME);
    this.#log = log;
  }

  /** What was saved last; nothing if there is no file, or none that may be believed. */
  async load(): Promise<readonly SavedKeys[]> {
    try {
      const text = await readTrusted(this.#path);
      return text === null ? [] : await parse(text);
    } catch (error) {
      this.#log.warn({ file: this.#path, reason: messageOf(error) }, "file of fetched keys ignored");
      return [];
    }
  }

  /** Notes that keys were fetched; they are asked for when they are written, up to a second later. */
  changed(keys: () => readonly SavedKeys[]): void {
    this.#pending = keys;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY_MS).unref();
  }

  /** Writes now what is still to be written. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) this.#writing = this.#writing.then(() => this.#write(pending()));
    await this.#writing;
  }

  async #write(sources: readonly SavedKeys[]): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeAtomically(this.#path, toJson(sources));
      this.#hasWarned = false;
    } catch (error) {
      // Once per trouble: a full disk must not fill the log as well.
      const reason = messageOf(error);
      if (!this.#hasWarned)
        this.#log.warn({ file: this.#path, reason }, "fetched keys not written; those in memory go on");
      this.#hasWarned = true;
    }
  }
}

/** A file that someone else could have written says nothing about whom to trust. */
async function readTrusted(path: string): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new Error("not a regular file");
    if (process.getuid !== undefined && info.uid !== process.getuid())
      throw new Error(`owned by uid ${info.uid}, not by us`);
    if ((info.mode & 0o022) !== 0) throw new Error("writable by group or others");
    if (info.size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** @throws Error when the text is not one that `#write` made; keys are checked as if they were fetched */
async function parse(text: string): Promise<readonly SavedKeys[]> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("not JSON: damaged");
  }
  if (!isObject(document) || document["schema"] !== SCHEMA) throw new Error("of another version");
  const sources = document["sources"];
  if (!Array.isArray(sources)) throw new Error("no list of sources");
  const saved: SavedKeys[] = [];
  for (const source of sources) {
    await nextTurn();
    const keys = parseSource(source);
    if (keys !== null) saved.push(keys);
  }
  return saved;
}

function parseSource(source: unknown): SavedKeys | null {
  if (!isObject(source)) return null;
  const { keySet, keys: documents, fetchedAtMs } = source;
  if (typeof keySet !== "string" || typeof fetchedAtMs !== "number") return null;
  // Our own files write absent members as empty texts, which mean the same in a key.
  const reader = readFetchedJwks(JSON.stringify({ keys: documents }));
  if (typeof reader === "string") return null;
  let step = reader.next();
  while (step.done !== true) step = reader.next();
  return step.value.keys.length === 0 ? null : { keySet, keys: step.value.keys, fetchedAtMs };
}

/** In pieces, each made in a turn of its own: all sources together can be 100 MB. */
async function* toJson(sources: readonly SavedKeys[]): AsyncGenerator<string> {
  yield `{"schema":${SCHEMA},"sources":[`;
  for (const [i, source] of sources.entries()) {
    await nextTurn();
    yield `${i === 0 ? "" : ","}${JSON.stringify(source)}`;
  }
  yield "]}";
}

async function writeAtomically(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(pieces);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
