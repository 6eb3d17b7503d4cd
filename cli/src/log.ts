import { destination, type Logger, type LoggerOptions, pino } from "pino";

/** From the most severe. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export const LOG_LEVELS: readonly LogLevel[] = ["fatal", "error", "warn", "info", "debug", "trace"];

/** JSON lines on stdout, written at once: a process that dies has said why. */
export function createLog(level: LogLevel): Logger {
  return pino({ ...FORM, level }, destination({ dest: 1, sync: true }));
}

/**
 * The same for records of AUDIT policies, with `name: "audit"` and at every log level. They are written behind the requests, never in
 * their way; what is left is written at exit. A reader of stdout that falls 64 MiB behind loses records.
 */
export function createAuditLog(): Logger {
  return pino(
    { ...FORM, base: { name: "audit" }, level: "info" },
    // Several workers may write to one pipe: up to that size the kernel keeps what is written together.
    destination({ dest: 1, sync: false, maxLength: 64 << 20, maxWrite: 4096 }),
  );
}

const FORM = {
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (label) => ({ level: label }) },
} satisfies LoggerOptions;
