import process from "node:process";
import { ListenError } from "@gatehouse/authz-server";
import { StartError } from "@gatehouse/controller";
import { Command, CommanderError } from "commander";
import type { CommandDefinition, QuestionDefinition } from "./command-definition.ts";
import { authzServerCommand } from "./commands/authz-server.ts";
import { controllerCommand } from "./commands/controller.ts";
import { explainCommand } from "./commands/explain.ts";
import { standaloneCommand } from "./commands/standalone.ts";
import { createLog } from "./log.ts";
import { runUntilSignal } from "./process.ts";
import { addFlags, readSettings } from "./read-settings.ts";
import type { LogSettings } from "./settings.ts";
import { UserError } from "./user-error.ts";
import { VERSION } from "./version.ts";

/**
 * The gatehouse command.
 * @param args without the name of the program
 * @returns the exit code: 0 stopped as asked, or answered; 1 failed; 2 wrong usage
 */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command("gatehouse")
    .description("Istio's JWT authentication, authorization and claim routing for any Envoy.")
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  let exitCode = 0;
  const exitWith = (code: number) => {
    exitCode = code;
  };
  define(program, standaloneCommand, exitWith);
  define(program, controllerCommand, exitWith);
  define(program, authzServerCommand, exitWith);
  defineQuestion(program, explainCommand);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function define<Values extends LogSettings>(
  program: Command,
  definition: CommandDefinition<Values>,
  exitWith: (code: number) => void,
): void {
  const command = program.command(definition.name).description(definition.summary).allowExcessArguments(false);
  addFlags(command, definition.settings);
  command.action(async () => {
    const settings = readSettings(command, definition.settings);
    const log = createLog(settings.logLevel);
    exitWith(await runUntilSignal(() => definition.start(settings, log), log));
  });
}

function defineQuestion<Values extends object>(program: Command, definition: QuestionDefinition<Values>): void {
  const command = program.command(definition.name).description(definition.summary).allowExcessArguments(false);
  addFlags(command, definition.settings);
  command.action(async () => {
    process.stdout.write(await definition.answer(readSettings(command, definition.settings)));
  });
}

/** One line a problem for what the user can put right; the stack only for what is a bug of ours. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    return complain([`${error.message.replace(/^error: /, "").replaceAll("\n", " ")}; see gatehouse --help`], 2);
  }
  if (error instanceof UserError) return complain(error.problems, error.exitCode);
  if (error instanceof StartError) return complain([oneLine(error.message) + hintFor(error)], 1);
  if (error instanceof ListenError) return complain([error.message], 1);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return complain([`unexpected failure, please report it: ${text}`], 1);
}

/** What to do, where the controller, which knows no flags, can't say it. */
function hintFor(error: StartError): string {
  if (error.code !== "BAD_SOURCE") return "";
  return "; give the directory that holds the YAML files, or --allow-partial to wait for it";
}

/** YAML errors show the place in further lines. */
function oneLine(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/:$/, "");
}

function complain(problems: readonly string[], exitCode: number): number {
  process.stderr.write(problems.map((problem) => `gatehouse: ${problem}\n`).join(""));
  return exitCode;
}
