import { type ResultGroup, type ResultRow, sum } from "./results.ts";

/** The groups as one table in Markdown. */
export function toTable(groups: readonly ResultGroup[]): string {
  const numbers = new Map(groups.flatMap(({ rows }) => rows).map(({ id }, at) => [id, at + 1]));
  const lines = groups.flatMap(({ title, rows }) => [
    `| | **${title}** | | | | |`,
    ...rows.map((row) => toLine(row, numbers)),
  ]);
  return [
    "| # | | checks/s | CPU µs per check | ratio | p50 / p99 / p99.9 ms |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

function toLine(row: ResultRow, numbers: ReadonlyMap<string, number>): string {
  const { id, name, perSecond, cpu, latency, isAdded } = row;
  const rate = perSecond === null ? "" : Math.round(perSecond).toLocaleString("en");
  const sign = isAdded ? "+" : "";
  const times =
    latency === null
      ? ""
      : [latency.p50, latency.p99, latency.p999].map((ms) => `${sign}${ms.toFixed(2)}`.replace("+-", "-")).join(" / ");
  return `| ${numbers.get(id)} | ${name} | ${rate} | ${toCpu(cpu)} | ${toRatio(row, numbers)} | ${times} |`;
}

function toCpu(cpu: readonly number[]): string {
  const parts = cpu.map((value) => value.toFixed(1)).join(" + ");
  return cpu.length > 1 ? `${parts} = ${sum(cpu).toFixed(1)}` : parts;
}

function toRatio({ ratio }: ResultRow, numbers: ReadonlyMap<string, number>): string {
  if (ratio === null) return "";
  const of = { rate: "the checks of", clock: "the checks/s of", cost: "the CPU of", p99: "the p99 of" }[ratio.by];
  return `${ratio.value.toFixed(2)}x ${of} ${numbers.get(ratio.id)}`;
}
