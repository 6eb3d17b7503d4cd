import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ControllerOptions, KeyFetchOptions } from "@gatehouse/controller";
import { onOff, type SettingTable, text, texts, wholeNumber } from "./setting.ts";
import { UserError } from "./user-error.ts";

/** How one attempt to fetch keys goes. */
export interface KeyFetchSettings {
  readonly keyCaFile: string | null;
  readonly keyProxy: string | null;
  readonly keyBlockedCidr: readonly string[];
  readonly keyAllowedHost: readonly string[];
}

/** How the controller fetches keys. */
export interface KeySettings extends KeyFetchSettings {
  readonly keyRefreshSeconds: number;
  readonly keyMaxStaleSeconds: number;
  /** null: the default of the command. */
  readonly keyDir: string | null;
  readonly keyCache: boolean;
}

export const keyFetchSettings: SettingTable<KeyFetchSettings> = {
  keyCaFile: text("PEM file of certificates trusted besides the system's when keys are fetched", "FILE", null),
  keyProxy: text("Forward proxy through which keys are fetched; the environment's is not used", "URL", null),
  keyBlockedCidr: texts("Network that no keys are fetched from, besides link-local and metadata addresses", "CIDR"),
  keyAllowedHost: texts("Keys are fetched from these hosts only, e.g. idp.example.com or *.example.com", "HOST"),
};

const DAY_SEC = 24 * 3600;

export const keySettings: SettingTable<KeySettings> = {
  keyRefreshSeconds: wholeNumber(
    "Seconds between fetches of a key set; an answer's Cache-Control can shorten it",
    "SEC",
    {
      min: 30,
      max: 7 * DAY_SEC,
      default: 1200,
    },
  ),
  keyMaxStaleSeconds: wholeNumber("Seconds for which keys are used that can't be fetched again", "SEC", {
    min: 60,
    max: 365 * DAY_SEC,
    default: 7 * DAY_SEC,
  }),
  keyDir: text(
    "Directory where fetched keys survive restarts (default: controller or standalone in ~/.local/state/gatehouse)",
    "DIR",
    null,
  ),
  keyCache: onOff("Keep no fetched keys on disk", { isOnByDefault: true }),
  ...keyFetchSettings,
};

/**
 * The key settings as options of the controller.
 * @param command whose keys they are; only `standalone` may fetch keys from its own machine
 * @throws {UserError} when the environment switches off what keys rely on
 */
export function toKeyOptions(
  command: "controller" | "standalone",
  values: KeySettings,
): Required<Pick<ControllerOptions, "keys">> {
  return {
    keys: {
      ...toKeyFetchOptions(values, command === "standalone"),
      intervalMs: values.keyRefreshSeconds * 1000,
      maxStaleMs: values.keyMaxStaleSeconds * 1000,
      dataDirectory: values.keyCache ? (values.keyDir ?? defaultDirectory(command)) : null,
    },
  };
}

/** The settings of one attempt as options. @throws {UserError} when the environment switches off what keys rely on */
export function toKeyFetchOptions(values: KeyFetchSettings, allowLoopback: boolean): KeyFetchOptions {
  refuseUnverifiedTls();
  return {
    caFile: values.keyCaFile,
    proxy: values.keyProxy,
    blockedCidrs: values.keyBlockedCidr,
    allowedHosts: values.keyAllowedHost,
    allowLoopback,
  };
}

/** Our own connections verify certificates in any case; who sets this expects something that must not be. */
function refuseUnverifiedTls(): void {
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  const advice = "unset it, and trust the issuer's certificate with --key-ca-file instead";
  throw new UserError([`NODE_TLS_REJECT_UNAUTHORIZED=0 would let anybody be an issuer of keys; ${advice}`], 2);
}

function defaultDirectory(command: string): string {
  return join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "gatehouse", command);
}
