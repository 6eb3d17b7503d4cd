import type { HeaderOperations } from "../model/routing.ts";
import type {
  HeaderOperations as Wire,
  HeaderOperations__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/HeaderOperations.ts";
import { readLabels, writeLabels } from "./object.ts";
import { required } from "./shape.ts";

/** Writes operations on headers. */
export function writeHeaderOperations({ set, add, remove }: HeaderOperations): Wire {
  return { set: writeLabels(set), add: writeLabels(add), remove: [...remove] };
}

/** Reads operations on headers, which must be there. */
export function readHeaderOperations(wire: WireOutput | null, path: string): HeaderOperations {
  const { set, add, remove } = required(wire, path);
  return { set: readLabels(set), add: readLabels(add), remove };
}
