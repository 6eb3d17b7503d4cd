import { median } from "./median.ts";
import type { Row } from "./row.ts";
import type { Percentiles } from "./sample.ts";

/** One line of the table: medians of all rounds. */
export interface ResultRow {
  readonly id: string;
  readonly name: string;
  /** By the clock; null: the row is not at full load. */
  readonly perSecond: number | null;
  /** CPU of one check in microseconds, of each process: the server, or Envoy and the server. */
  readonly cpu: readonly number[];
  readonly ratio: Ratio | null;
  readonly latency: Percentiles | null;
  readonly isAdded: boolean;
}

/** Checks from the same CPU, checks a second by the clock, CPU of a check, or p99 latency. */
export type RatioKind = "rate" | "clock" | "cost" | "p99";

/** The median of the ratios of each round. */
export interface Ratio {
  readonly value: number;
  readonly by: RatioKind;
  /** The other row. */
  readonly id: string;
}

/** Lines that belong together. */
export interface ResultGroup {
  readonly title: string;
  readonly rows: readonly ResultRow[];
}

/** What was measured of rows at full load, or at a rate. */
export function toResults(title: string, rows: readonly Row[], kind: "full" | "paced"): ResultGroup {
  const find = (id: string): Row => {
    const found = rows.find((row) => row.title.id === id);
    if (found === undefined) throw new Error(`there is no row ${id}`);
    return found;
  };
  return { title, rows: rows.map((row) => toResult(row, kind, find)) };
}

function toResult(row: Row, kind: "full" | "paced", find: (id: string) => Row): ResultRow {
  const { id, name, beside, addedTo } = row.title;
  const base = addedTo === undefined ? undefined : find(addedTo);
  const percentile = (which: keyof Percentiles): number =>
    median(row.samples.map(({ latency }, round) => latency[which] - (base?.samples[round]?.latency[which] ?? 0)));
  return {
    id,
    name,
    perSecond: median(row.samples.map(({ perSecond }) => perSecond)),
    cpu: (row.samples[0]?.cpu ?? []).map((_, part) => median(row.samples.map(({ cpu }) => cpu[part] ?? Number.NaN))),
    ratio: beside === undefined ? null : { ...beside, value: ratioOf(row, find(beside.id), beside.by) },
    latency: kind === "full" ? null : { p50: percentile("p50"), p99: percentile("p99"), p999: percentile("p999") },
    isAdded: base !== undefined,
  };
}

/** How a row compares with another that was measured in the same rounds. */
export function ratioOf(row: Row, other: Row, by: RatioKind): number {
  const value = ({ samples }: Row, round: number): number => {
    const sample = samples[round];
    if (sample === undefined) return Number.NaN;
    if (by === "clock") return 1 / sample.perSecond;
    return by === "p99" ? sample.latency.p99 : sum(sample.cpu);
  };
  const ratios = row.samples.map((_, round) =>
    by === "rate" || by === "clock" ? value(other, round) / value(row, round) : value(row, round) / value(other, round),
  );
  return median(ratios);
}

/** Together. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
