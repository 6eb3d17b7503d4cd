import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { LineCounter, parseDocument } from "yaml";
import type { Setting, SettingTable } from "./setting.ts";
import { UserError } from "./user-error.ts";

/** Adds a flag for each setting, and `--config`. */
export function addFlags<Values extends object>(command: Command, table: SettingTable<Values>): void {
  for (const [key, setting] of entriesOf(table)) {
    const flag = `${setting.letter === undefined ? "" : `-${setting.letter}, `}${flagOf(key, setting)}`;
    if (setting.placeholder === null) command.option(flag, setting.doc);
    else if (setting.isList) command.option(`${flag} <${setting.placeholder}>`, setting.doc, append);
    else command.option(`${flag} <${setting.placeholder}>`, setting.doc);
  }
  command.option("--config <FILE>", "YAML file with any of these settings, in camelCase; flags win over it");
}

/**
 * Takes each setting from its flag, else from the configuration file, else its default.
 * @throws {UserError} with every problem of flags and file at once
 */
export function readSettings<Values extends object>(command: Command, table: SettingTable<Values>): Values {
  const flags = flagsGiven(command);
  const problems: string[] = [];
  const path = flags.get("config");
  const file =
    typeof path === "string"
      ? readConfigFile(path, new Set(Object.keys(table)), problems)
      : new Map<string, FileValue>();

  const values = entriesOf(table).map(([key, setting]): unknown[] => {
    const given = flags.has(key)
      ? { raw: flags.get(key), where: flagOf(key, setting) }
      : (file.get(key) ?? { raw: undefined, where: "" });
    if (given.raw === undefined) {
      if (setting.default === undefined) problems.push(`${flagOf(key, setting)} is missing; see --help`);
      return [key, setting.default];
    }
    const parsed = setting.parse(given.raw);
    if (!parsed.ok) problems.push(`${given.where}: ${parsed.message}`);
    return [key, parsed.ok ? parsed.value : undefined];
  });
  if (problems.length > 0) throw new UserError(problems, 2);
  return Object.fromEntries(values);
}

function entriesOf<Values extends object>(table: SettingTable<Values>): readonly [string, Setting<unknown>][] {
  return Object.entries(table);
}

interface FileValue {
  readonly raw: unknown;
  /** `gatehouse.yaml:3: checkPort` */
  readonly where: string;
}

function readConfigFile(path: string, known: ReadonlySet<string>, problems: string[]): Map<string, FileValue> {
  const values = new Map<string, FileValue>();
  const lines = new LineCounter();
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`--config: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return values;
  }
  const document = parseDocument(content, { lineCounter: lines });
  for (const error of document.errors) {
    problems.push(`${path}:${error.linePos?.[0].line ?? 1}: ${error.message.split("\n")[0]?.replace(/:$/, "")}`);
  }
  if (document.errors.length > 0) return values;
  const settings: unknown = document.toJS();
  if (settings === null) return values;
  if (typeof settings !== "object" || Array.isArray(settings)) {
    problems.push(`${path}: expected "name: value" lines, such as checkPort: 9001`);
    return values;
  }
  for (const [key, raw] of Object.entries(settings)) {
    const node = document.get(key, true);
    const offset = typeof node === "object" && node !== null && "range" in node ? startOf(node.range) : 0;
    const where = `${path}:${lines.linePos(offset).line}: ${key}`;
    if (known.has(key)) values.set(key, { raw, where });
    else problems.push(`${where}: not a setting of this command; see --help`);
  }
  return values;
}

function startOf(range: unknown): number {
  return Array.isArray(range) && typeof range[0] === "number" ? range[0] : 0;
}

function flagsGiven(command: Command): ReadonlyMap<string, unknown> {
  const given = Object.entries(command.opts()).filter(([key]) => command.getOptionValueSource(key) === "cli");
  return new Map(given);
}

function flagOf(key: string, setting: Setting<unknown>): string {
  const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return setting.default === true ? `--no-${name}` : `--${name}`;
}

function append(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
