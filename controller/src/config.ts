import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { DEFAULT_KEY_OPTIONS, type KeyOptions } from "./jwks/key-options.ts";
import type { MeshSettings } from "./mesh-config.ts";
import type { HoldOff } from "./wake-up.ts";

/** What a controller needs to be told. Whatever is left out has the default of `ControllerConfig`. */
export interface ControllerOptions extends Partial<Omit<ControllerConfig, "keys">> {
  readonly source: SourceOptions;
  /** Where authz-servers connect: `127.0.0.1:9002` or `unix:/path`. Loopback or a unix socket only; port 0 takes a free one. */
  readonly xdsAddress: string;
  readonly log: Logger;
  /** Must not hold metrics of another controller. */
  readonly registry: Registry;
  /** How keys are fetched. What is left out has the default of `KeyOptions`. */
  readonly keys?: Partial<KeyOptions>;
}

/** Where objects come from. */
export interface SourceOptions {
  readonly kind: "directory";
  readonly path: string;
  /** Start although some files can't be read. Default: false. */
  readonly allowPartial?: boolean;
}

/** Everything that has a default. */
export interface ControllerConfig {
  /** File with Istio's MeshConfig, watched; null means Istio's defaults. Default: null. */
  readonly meshConfigFile: string | null;
  /** What Istio's MeshConfig has no field for. Default: those of `parseMeshConfig`. */
  readonly settings: MeshSettings;
  /** Default: a pause of 50 ms, 300 ms in all; the directory source waits 100 ms by itself, and 1 s is promised. */
  readonly holdOff: HoldOff;
  /** Default: `DEFAULT_KEY_OPTIONS`. */
  readonly keys: KeyOptions;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs: () => number;
}

export const DEFAULT_CONTROLLER_CONFIG: ControllerConfig = {
  meshConfigFile: null,
  settings: {},
  holdOff: { quietMs: 50, maxMs: 300 },
  keys: DEFAULT_KEY_OPTIONS,
  nowMs: Date.now,
};
