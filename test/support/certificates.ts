import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { issueAuthority, issueLeaf, type KeyPair, type LeafRequest } from "../../controller/src/certificates/issue.ts";
import { type CredentialsSource, readTlsCredentials, type TlsCredentials } from "../../protos/src/channel/index.ts";

/** Names that both sides of the channel have in tests. */
export const CONTROLLER_NAME = "gatehouse-controller.gatehouse-system.svc";
export const AUTHZ_SERVER_NAME = "gatehouse-authz-server.gatehouse-system.svc";

/** A certificate authority of a test. */
export interface TestAuthority {
  /** Its certificate in PEM. */
  readonly certificate: string;
  /** @param request default: valid from an hour ago to an hour from now */
  issue(request: Pick<LeafRequest, "name" | "usage"> & Partial<LeafRequest>): Promise<KeyPair>;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const authority = await issueAuthority(aroundNow());
  return {
    certificate: authority.certificate,
    issue: (request) => issueLeaf(authority, { validity: aroundNow(), ...request }),
  };
}

/** An authority with its private key, as the Secret of the controllers holds it, valid for a year from then on. */
export function issueTestAuthority(fromMs: number): Promise<KeyPair> {
  return issueAuthority({ fromMs, toMs: fromMs + 365 * 24 * 3600_000 });
}

/** Credentials that a test changes by hand. */
export class TestCredentials implements CredentialsSource {
  readonly #listeners = new Set<() => void>();
  #current: TlsCredentials | null = null;

  set(keys: KeyPair, trusted: readonly string[]): void {
    const read = readTlsCredentials({ ...keys, trusted: trusted.length === 0 ? null : trusted.join("") });
    if (!read.ok) throw new Error(read.message);
    this.#current = read.credentials;
    for (const listener of this.#listeners) listener();
  }

  current(): TlsCredentials | null {
    return this.#current;
  }

  problem(): string | null {
    return this.#current === null ? "none yet" : null;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

let generation = 0;

/**
 * Writes the files of a Secret into a directory as the kubelet does: into a new directory, to which one link is then swapped.
 * @param trusted none leaves `ca.crt` out
 */
export async function mountSecret(directory: string, keys: KeyPair, trusted: readonly string[]): Promise<void> {
  generation += 1;
  const data = `..data-${generation}`;
  await mkdir(join(directory, data), { recursive: true });
  const files = { "tls.crt": keys.certificate, "tls.key": keys.privateKey, "ca.crt": trusted.join("") };
  for (const [name, text] of Object.entries(files)) {
    if (text === "") {
      await rm(join(directory, name), { force: true });
      continue;
    }
    await writeFile(join(directory, data, name), text);
    await symlink(`..data/${name}`, join(directory, name)).catch(() => undefined); // it is there already
  }
  await symlink(data, join(directory, "..data-next"));
  await rename(join(directory, "..data-next"), join(directory, "..data"));
}

/** Writes the same files as most other tools do: each beside its place, then renamed, one after the other. */
export async function writeSecretFiles(directory: string, keys: KeyPair, trusted: readonly string[]): Promise<void> {
  const files = { "ca.crt": trusted.join(""), "tls.crt": keys.certificate, "tls.key": keys.privateKey };
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, `.${name}-next`), text);
    await rename(join(directory, `.${name}-next`), join(directory, name));
  }
}

function aroundNow(): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: Date.now() - 3600_000, toMs: Date.now() + 3600_000 };
}
