import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshConfig, PolicyResource } from "@gatehouse/protos";
import type { Logger } from "pino";
import { type MeshSettings, type ParsedMeshConfig, parseMeshConfig } from "./mesh-config.ts";
import { StartError } from "./start-error.ts";

/** The mesh configuration in force, and what is wrong with the newest file. */
export interface MeshConfigFile {
  /** The resources, if they changed since the last call; the first call returns them. */
  take(): readonly PolicyResource[] | null;
  readonly dnsSuffix: string;
  readonly routing: MeshConfig["routing"];
  /** Why the newest content is not in force; empty if it is. */
  problems(): readonly string[];
  /** Follows the file until the signal aborts. */
  watch(onChange: () => void, signal: AbortSignal): Promise<void>;
}

// Looked at rather than watched: mounted ConfigMaps change by swapping a link two levels up, which no watch on the file reports.
const LOOK_EVERY_MS = 200;

/**
 * Reads the mesh configuration. A later content that is faulty is reported, and the last good one stays in force.
 * @param path null: all defaults, nothing to follow
 * @throws StartError `BAD_MESH_CONFIG` when the file can't be read or holds errors
 */
export async function openMeshConfigFile(
  path: string | null,
  settings: MeshSettings,
  log: Logger,
): Promise<MeshConfigFile> {
  let text = path === null ? "" : await readAtStart(path);
  let inForce = parseMeshConfig(text, settings);
  if (inForce.errors.length > 0) throw new StartError("BAD_MESH_CONFIG", describeErrors(path, inForce).join("; "));
  logUnused(inForce);
  let isNew = true;
  let problems: readonly string[] = [];

  return {
    dnsSuffix: inForce.meshConfig.dnsSuffix,
    routing: inForce.meshConfig.routing,
    problems: () => problems,
    take() {
      if (!isNew) return null;
      isNew = false;
      return [inForce.meshConfig, ...inForce.providers];
    },
    async watch(onChange, signal) {
      if (path === null) return;
      for (let seen = text; !signal.aborted; ) {
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
        const found = await readFile(path, "utf8").catch((error: Error) => error);
        if (signal.aborted) return;
        if (found instanceof Error) {
          report([`mesh config ${path}: can't be read: ${found.message}`]);
          continue;
        }
        // Twice the same, as editors truncate before they write, and an empty file means all defaults.
        const isSettled = found === seen;
        const isNews = found !== text || problems.length > 0;
        if (isSettled && isNews) adopt(found, onChange);
        seen = found;
      }
    },
  };

  function adopt(found: string, onChange: () => void): void {
    const parsed = parseMeshConfig(found, settings);
    report(describeErrors(path, parsed));
    if (parsed.errors.length > 0 || found === text) return;
    text = found;
    inForce = parsed;
    isNew = true;
    logUnused(parsed);
    onChange();
  }

  function report(found: readonly string[]): void {
    const news = found.filter((problem) => !problems.includes(problem));
    if (news.length > 0)
      log.error({ problems: news }, "mesh configuration not taken; the last good one stays in force");
    problems = found;
  }

  function logUnused({ unused }: ParsedMeshConfig): void {
    if (unused.length > 0) log.warn({ file: path, fields: unused }, "mesh configuration has fields that are not used");
  }
}

async function readAtStart(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError("BAD_MESH_CONFIG", `mesh config ${path} can't be read: ${reason}`, { cause });
  }
}

function describeErrors(path: string | null, { errors }: ParsedMeshConfig): readonly string[] {
  return errors.map((error) =>
    [`mesh config ${path}`, error.path, error.message].filter((part) => part !== "").join(": "),
  );
}
