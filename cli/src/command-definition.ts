import type { Logger } from "pino";
import type { Running } from "./process.ts";
import type { SettingTable } from "./setting.ts";

/** One sub-command: what it is for, what can be set, and how it starts. */
export interface CommandDefinition<Values> {
  readonly name: string;
  readonly summary: string;
  readonly settings: SettingTable<Values>;
  /** @throws {UserError} and the start errors of the two processes: one line for the user each */
  start(values: Values, log: Logger): Promise<Running>;
}
