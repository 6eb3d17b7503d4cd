/** One resource as it came: the name and version of its envelope and the bytes of its `PolicyResource`. */
export interface HeldResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** A whole accepted policy set. */
export interface PolicySnapshot {
  /** `system_version_info` of the response that completed it. */
  readonly setVersion: string;
  /** When it was accepted, milliseconds since the epoch. */
  readonly acceptedAtMs: number;
  readonly resources: readonly HeldResource[];
}
