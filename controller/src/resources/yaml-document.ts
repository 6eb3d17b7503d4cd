import { type Document, isMap, isSeq, LineCounter, parseAllDocuments } from "yaml";
import { type ParsedObject, parseObject } from "./parse-object.ts";
import { yamlOptions } from "./yaml-location.ts";

/** What the text of one YAML document holds. Lines count from 1, in this text. */
export interface DocumentContent {
  readonly objects: readonly { readonly parsed: ParsedObject; readonly prefix: ListPosition }[];
  /** Why the text could not be read. With faults, there are no objects. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

/** Where in a `List` an object stands (`items[3]`); empty outside of lists. */
type ListPosition = string;

/** The largest object that is read, in characters; etcd takes no larger one either. */
export const MAX_OBJECT_SIZE: number = 3 * 1024 * 1024;

/** Reads one YAML document. Never throws. */
export function parseDocument(text: string): DocumentContent {
  const lines = new LineCounter();
  try {
    const documents = [...parseAllDocuments(text, { ...yamlOptions, lineCounter: lines })];
    // Later faults mostly follow from the first.
    const [fault] = documents.flatMap((document) => [...document.errors, ...document.warnings]);
    if (fault === undefined) return { objects: documents.flatMap(readObjects), faults: [] };
    const isDuplicate = fault.code === "DUPLICATE_KEY";
    const message = isDuplicate ? "the same key stands twice in one object" : `can't be parsed: ${fault.message}`;
    return { objects: [], faults: [{ line: lines.linePos(fault.pos[0]).line, message }] };
  } catch (error) {
    // Alias bombs end here.
    const message = error instanceof Error ? error.message : String(error);
    return { objects: [], faults: [{ line: 1, message: `can't be parsed: ${message}` }] };
  }
}

function readObjects(document: Document.Parsed): DocumentContent["objects"] {
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null) return [];
  const items = itemsOf(value);
  if (items === null) return [{ parsed: readObject(value, document.contents), prefix: "" }];
  const nodes = isMap(document.contents) ? document.contents.get("items", true) : undefined;
  return items.map((item, index) => ({
    parsed: readObject(item, isSeq(nodes) ? nodes.items[index] : undefined),
    prefix: `items[${index}]`,
  }));
}

/** The objects of a `List` (or `AuthorizationPolicyList`), or null when it is an object itself. */
function itemsOf(value: unknown): readonly unknown[] | null {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("items" in value)) return null;
  return typeof value.kind === "string" && value.kind.endsWith("List") && Array.isArray(value.items)
    ? value.items
    : null;
}

function readObject(value: unknown, node: unknown): ParsedObject {
  const parsed = parseObject(value);
  if (parsed.kind !== "valid" || sizeOf(node) <= MAX_OBJECT_SIZE) return parsed;
  const { kind, metadata } = parsed.object;
  const errors = [{ path: "", message: `is larger than ${MAX_OBJECT_SIZE} characters` }];
  return { kind: "invalid", object: { kind, namespace: metadata.namespace, name: metadata.name, errors, raw: value } };
}

/** Length of a node's text; 0 for what an alias stands for. */
function sizeOf(node: unknown): number {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : null;
  return Array.isArray(range) ? Number(range[1]) - Number(range[0]) : 0;
}
