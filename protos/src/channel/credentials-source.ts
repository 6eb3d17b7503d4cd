import type { TlsCredentials } from "./tls-credentials.ts";

/** Where credentials come from, for as long as a process lives. */
export interface CredentialsSource {
  /** The newest that were usable; null before the first. */
  current(): TlsCredentials | null;
  /** Why there are none, or none newer, as one line; null when all is well. */
  problem(): string | null;
  /** @param listener called after `current` changed @returns takes it back */
  onChange(listener: () => void): () => void;
}

/** The two levels that the channel writes; pino's logger fits. */
export interface ChannelLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
