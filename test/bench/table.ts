/** One thing that is measured. */
export interface Row {
  readonly name: string;
  readonly measure: () => Promise<Sample>;
  /** One a round. */
  readonly samples: Sample[];
}

/** One measurement. */
export interface Sample {
  readonly perSecond: number;
  /** For one check, by process. */
  readonly cpuMicroseconds: readonly number[];
}

/** What the caption says. */
export interface TableCaption {
  readonly rounds: number;
  readonly calls: number;
  readonly isPinned: boolean;
}

/** Medians in Markdown, the first row being the yardstick. */
export function toTable(rows: readonly Row[], caption: TableCaption): string {
  const yardstick = rows[0] === undefined ? Number.NaN : perSecond(rows[0]);
  const lines = rows.map((row) => {
    const rate = perSecond(row);
    const cpu = row.samples[0]?.cpuMicroseconds.map((_, process) =>
      median(row.samples.map((sample) => sample.cpuMicroseconds[process] ?? Number.NaN)),
    );
    const ratio = (rate / yardstick).toFixed(2);
    return `| ${row.name} | ${Math.round(rate)} | ${cpu?.map((value) => value.toFixed(0)).join(" + ")} | ${ratio} |`;
  });
  const pinning = caption.isPinned ? "one core for the servers, one for the load" : "not pinned (no taskset here)";
  return [
    "| server | checks/s | CPU µs per check | checks/s to constant |",
    "|---|---|---|---|",
    ...lines,
    "",
    `Medians of ${caption.rounds} rounds of ${caption.calls} checks; ${pinning}; Node ${process.version}.`,
    "",
  ].join("\n");
}

function perSecond(row: Row): number {
  return median(row.samples.map((sample) => sample.perSecond));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
