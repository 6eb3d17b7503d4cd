import type { Logger } from "pino";
import type { Running } from "./process.ts";
import type { SettingTable } from "./setting.ts";

/** One sub-command: what it is for, and what can be set. */
interface Definition<Values> {
  readonly name: string;
  readonly summary: string;
  readonly settings: SettingTable<Values>;
}

/** A sub-command that runs until it is stopped. */
export interface CommandDefinition<Values> extends Definition<Values> {
  /** @throws {UserError} and the start errors of the two processes: one line for the user each */
  start(values: Values, log: Logger): Promise<Running>;
}

/** A sub-command that answers a question and ends. */
export interface QuestionDefinition<Values> extends Definition<Values> {
  /** @returns what goes to standard output @throws {UserError} */
  answer(values: Values): Promise<string>;
}
