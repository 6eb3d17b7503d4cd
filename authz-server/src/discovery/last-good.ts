import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import type { DiscoveryMetrics } from "../telemetry/metrics.ts";
import { decodeLastGood, encodeLastGood, LastGoodFormatError } from "./last-good-format.ts";
import type { PolicySnapshot } from "./policy-snapshot.ts";

const FILE_NAME = "last-good";
const MAX_FILE_BYTES = 512 * 1024 * 1024;

export interface LastGoodOptions {
  /** Directory of our own; created with mode 0700. The file in it can hold HMAC keys and has mode 0600. */
  readonly directory: string;
  /** At most one write in that many milliseconds. */
  readonly minIntervalMs: number;
  readonly metrics: Pick<DiscoveryMetrics, "lastGood">;
  readonly log: Logger;
}

/**
 * The last accepted policy set on disk, so that a server enforces while the controller is down.
 * Never fails: what can't be read is ignored with a warning, what can't be written is tried again at the next change.
 */
export class LastGoodFile {
  readonly #options: LastGoodOptions;
  readonly #path: string;
  #pending: (() => PolicySnapshot) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #hasWarned = false;

  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#path = join(options.directory, FILE_NAME);
  }

  /** @returns null when there is none, or none that may be believed */
  async load(): Promise<PolicySnapshot | null> {
    const { log, metrics } = this.#options;
    try {
      const bytes = await readTrusted(this.#path);
      if (bytes === null) return null;
      const snapshot = decodeLastGood(bytes);
      metrics.lastGood("loaded");
      return snapshot;
    } catch (error) {
      metrics.lastGood("ignored");
      log.warn({ file: this.#path, reason: messageOf(error) }, "last-good file ignored");
      return null;
    }
  }

  /** Notes that the set has changed; it is asked for when it is written, up to `minIntervalMs` later. */
  changed(snapshot: () => PolicySnapshot): void {
    this.#pending = snapshot;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => void this.flush(), this.#options.minIntervalMs);
    this.#timer.unref();
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

  async #write(snapshot: PolicySnapshot): Promise<void> {
    const { log, metrics } = this.#options;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeAtomically(this.#path, await encodeLastGood(snapshot));
      metrics.lastGood("written");
      this.#hasWarned = false;
    } catch (error) {
      metrics.lastGood("write_failed");
      // Once per trouble: a full disk must not fill the log as well.
      if (!this.#hasWarned) {
        const reason = messageOf(error);
        log.warn({ file: this.#path, reason }, "last-good file not written; policy in memory goes on");
      }
      this.#hasWarned = true;
    }
  }
}

/** A file that someone else could have written says nothing about policy. */
async function readTrusted(path: string): Promise<Buffer | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new LastGoodFormatError("not a regular file");
    if (process.getuid !== undefined && info.uid !== process.getuid()) {
      throw new LastGoodFormatError(`owned by uid ${info.uid}, not by us`);
    }
    if ((info.mode & 0o022) !== 0) throw new LastGoodFormatError("writable by group or others");
    if (info.size > MAX_FILE_BYTES) throw new LastGoodFormatError(`larger than ${MAX_FILE_BYTES} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function writeAtomically(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const { bytesWritten } = await file.writev(chunks);
      // A disk that becomes full in between is no error for `writev`: it says how far it came.
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (bytesWritten < bytes) throw new Error(`the disk took ${bytesWritten} of ${bytes} bytes; is it full?`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  const directory = await open(dirname(path), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
