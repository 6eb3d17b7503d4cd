import type { Labels } from "@gatehouse/protos";

/** The pairs of a map, in the order written. */
export function toLabels(map: Readonly<Record<string, string>> | undefined): Labels {
  return Object.entries(map ?? {}).map(([name, value]) => ({ name, value }));
}
