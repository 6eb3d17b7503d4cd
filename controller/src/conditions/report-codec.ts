import type { ResourceKind } from "../resources/gen/schemas.ts";
import type { ObjectKey } from "../resources/object.ts";
import { RESOURCE_KINDS } from "./resource-kinds.ts";
import type { Position, ReplicaReport, ServerProgress } from "./server-progress.ts";

/** Annotations of one object have 256 KiB in all; several replicas share them. */
const MAX_TEXT_LENGTH = 60_000;
const MAX_REFUSED = 50;
const MAX_MESSAGE_LENGTH = 300;

/** What stands in the annotation. */
interface ReportForm {
  readonly replica: string;
  /** Servers share positions, mostly. */
  readonly positions: readonly Readonly<Record<string, string>>[];
  readonly refused: readonly (readonly [key: string, message: string])[];
  /** Name, index into `positions`, indexes into `refused`. */
  readonly servers: readonly (readonly [node: string, position: number, refused: readonly number[]])[];
}

/**
 * Writes a report as text. What is too large to be told counts as not enforced, never as enforced: a server with very many refused
 * objects loses its position, and a fleet that does not fit loses all of them.
 */
export function encodeReport(report: ReplicaReport): string {
  const text = JSON.stringify(toForm(report.replica, report.servers.map(bounded)));
  if (text.length <= MAX_TEXT_LENGTH) return text;
  const names = report.servers.map(({ node }) => ({ node, position: NOWHERE, refused: NOTHING }));
  return JSON.stringify(toForm(report.replica, names));
}

/** @returns null for anything that is no report */
export function decodeReport(text: string): ReplicaReport | null {
  const form = parse(text);
  if (form === null) return null;
  const { replica, positions, refused, servers } = form;
  if (typeof replica !== "string" || !Array.isArray(positions) || !Array.isArray(refused) || !Array.isArray(servers)) {
    return null;
  }
  const read = servers.map((server) => readServer(server, positions, refused));
  const known = read.filter((server) => server !== null);
  return known.length === read.length ? { replica, servers: known } : null;
}

const NOWHERE: Position = new Map();
const NOTHING: ReadonlyMap<ObjectKey, string> = new Map();

function bounded(server: ServerProgress): ServerProgress {
  if (server.refused.size > MAX_REFUSED) return { ...server, position: NOWHERE, refused: NOTHING };
  const refused = [...server.refused].map(([key, message]) => [key, message.slice(0, MAX_MESSAGE_LENGTH)] as const);
  return { ...server, refused: new Map(refused) };
}

function toForm(replica: string, servers: readonly ServerProgress[]): ReportForm {
  const positions = new Map<string, number>();
  const refusals = new Map<string, number>();
  const indexOf = (all: Map<string, number>, text: string) => {
    const index = all.get(text) ?? all.size;
    all.set(text, index);
    return index;
  };
  const rows = servers.map(({ node, position, refused }) => {
    const at = indexOf(positions, JSON.stringify(Object.fromEntries([...position].toSorted())));
    return [node, at, [...refused].map((refusal) => indexOf(refusals, JSON.stringify(refusal)))] as const;
  });
  return {
    replica,
    positions: [...positions.keys()].map((text) => JSON.parse(text)),
    refused: [...refusals.keys()].map((text) => JSON.parse(text)),
    servers: rows,
  };
}

function parse(text: string): Partial<Record<keyof ReportForm, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null; // somebody else's text
  }
}

function readServer(value: unknown, positions: readonly unknown[], refused: readonly unknown[]): ServerProgress | null {
  if (!Array.isArray(value)) return null;
  const [node, at, indexes]: readonly unknown[] = value;
  if (typeof node !== "string" || typeof at !== "number" || !Array.isArray(indexes)) return null;
  const entries = indexes.map((index: unknown) => readRefusal(typeof index === "number" ? refused[index] : null));
  const known = entries.filter((entry) => entry !== null);
  if (known.length !== entries.length) return null;
  return { node, position: readPosition(positions[at]), refused: new Map(known) };
}

function readPosition(value: unknown): Position {
  if (typeof value !== "object" || value === null) return NOWHERE;
  const found = new Map<ResourceKind, string>();
  for (const kind of RESOURCE_KINDS) {
    const version: unknown = Reflect.get(value, kind);
    if (typeof version === "string") found.set(kind, version);
  }
  return found;
}

function readRefusal(value: unknown): readonly [ObjectKey, string] | null {
  if (!Array.isArray(value)) return null;
  const [key, message]: readonly unknown[] = value;
  return isObjectKey(key) && typeof message === "string" ? [key, message] : null;
}

function isObjectKey(key: unknown): key is ObjectKey {
  return typeof key === "string" && RESOURCE_KINDS.some((kind) => key.startsWith(`${kind}/`));
}
