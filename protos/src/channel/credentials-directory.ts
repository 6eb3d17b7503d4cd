import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ChannelLog, CredentialsSource } from "./credentials-source.ts";
import { whyNotToShow } from "./own-certificate.ts";
import type { PeerRule } from "./peer-identity.ts";
import { readTlsCredentials, type TlsCredentials, type TlsPem } from "./tls-credentials.ts";

export interface CredentialsDirectoryOptions {
  /** Holds `tls.crt`, `tls.key` and `ca.crt`, such as a mounted Secret. */
  readonly path: string;
  /** Whether a directory without `ca.crt` will do. */
  readonly authority: "required" | "optional";
  /** What the other side will look for in our certificate. Default: null, nothing but its time. */
  readonly self?: PeerRule | null;
  readonly log: ChannelLog;
  /** Default: 2000. */
  readonly pollMs?: number;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs?: () => number;
}

/** Credentials of a directory, followed until `stop`. */
export interface CredentialsDirectory extends CredentialsSource {
  stop(): void;
}

/**
 * Follows the credentials of a directory by their content: a mounted Secret changes by a swap of links, which file events miss.
 * What can't be read, does not fit together or could not be shown to anybody changes nothing. The directory may be empty at first.
 * @returns after the first look
 */
export async function openCredentialsDirectory(options: CredentialsDirectoryOptions): Promise<CredentialsDirectory> {
  const watched = new WatchedDirectory(options);
  await watched.look();
  watched.start();
  return watched;
}

const DEFAULT_POLL_MS = 2000;

class WatchedDirectory implements CredentialsDirectory {
  readonly #options: CredentialsDirectoryOptions;
  readonly #listeners = new Set<() => void>();
  #current: TlsCredentials | null = null;
  #problem: string | null = null;
  #seen: string | null = null;
  #isNearEndLogged = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CredentialsDirectoryOptions) {
    this.#options = options;
  }

  current(): TlsCredentials | null {
    return this.#current;
  }

  problem(): string | null {
    return this.#problem;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    const next = () => {
      if (this.#isStopped) return;
      this.#timer = setTimeout(() => void this.look().then(next), this.#options.pollMs ?? DEFAULT_POLL_MS).unref();
    };
    next();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isStopped = true;
    this.#listeners.clear();
  }

  /** Takes in what stands in the directory now; never rejects. */
  async look(): Promise<void> {
    const { path } = this.#options;
    const found = await readDirectory(path);
    if (typeof found === "string") this.#fail(found);
    else if (digestOf(found) === this.#seen) this.#problem = null;
    // Three files are no single read: what was caught in the middle of a change is another thing a moment later.
    else if (isSame(found, await readDirectory(path))) this.#take(found);
    this.#warnNearEnd();
  }

  #take(pem: TlsPem): void {
    const { path, authority, log, self = null, nowMs = Date.now } = this.#options;
    const hadAuthority = (this.#current?.authorities.length ?? 0) > 0;
    // A ca.crt that vanishes must not open the port to everybody.
    if (pem.trusted === null && (authority === "required" || hadAuthority)) {
      this.#fail(`${join(path, "ca.crt")} is missing; it says whom to trust`);
      return;
    }
    const read = readTlsCredentials(pem);
    const problem = read.ok ? whyNotToShow(read.credentials.leaf, self, nowMs()) : read.message;
    if (!read.ok || problem !== null) {
      this.#fail(`${path}: ${problem}`);
      return;
    }
    this.#seen = digestOf(pem);
    this.#current = read.credentials;
    this.#problem = null;
    this.#isNearEndLogged = false;
    const { leaf, authorities } = read.credentials;
    log.info({ path, expires: leaf.validToDate.toISOString(), authorities: authorities.length }, "certificates loaded");
    for (const listener of this.#listeners) listener();
  }

  #fail(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    const { path, log } = this.#options;
    if (this.#current === null) log.warn({ path, problem }, "no certificates yet; the directory is read again");
    else
      log.warn(
        { path, problem },
        "certificates can't be used; those from before stay, and the directory is read again",
      );
  }

  #warnNearEnd(): void {
    if (this.#current === null || this.#isNearEndLogged) return;
    const { validFromDate, validToDate } = this.#current.leaf;
    const leftMs = validToDate.getTime() - (this.#options.nowMs ?? Date.now)();
    if (leftMs > (validToDate.getTime() - validFromDate.getTime()) / 3) return;
    this.#isNearEndLogged = true;
    const message = "certificate has less than a third of its life left; renew it";
    this.#options.log.warn({ path: this.#options.path, expires: validToDate.toISOString() }, message);
  }
}

function digestOf(pem: TlsPem): string {
  return createHash("sha256").update(JSON.stringify(pem)).digest("hex");
}

function isSame(pem: TlsPem, again: TlsPem | string): boolean {
  return typeof again !== "string" && digestOf(pem) === digestOf(again);
}

/** @returns the files, or why not: always of the first that can't be read, or a log would repeat itself */
async function readDirectory(path: string): Promise<TlsPem | string> {
  const read = (name: string) => readFile(join(path, name), "utf8").catch(toReadError);
  const [certificate, privateKey, trusted] = await Promise.all([read("tls.crt"), read("tls.key"), read("ca.crt")]);
  if (typeof certificate !== "string") return whyUnreadable(certificate);
  if (typeof privateKey !== "string") return whyUnreadable(privateKey);
  if (typeof trusted === "string") return { certificate, privateKey, trusted };
  return trusted.code === "ENOENT" ? { certificate, privateKey, trusted: null } : whyUnreadable(trusted);
}

function toReadError(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error;
}

function whyUnreadable({ code, path, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOENT":
      return `${path} is missing`;
    case "EACCES":
      return `${path} can't be read; give this user the right to`;
    default:
      return message;
  }
}
