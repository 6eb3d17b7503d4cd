import * as echarts from "echarts";
import { type ResultGroup, type ResultRow, sum } from "./results.ts";

/** A drawing of some rows. */
export interface Chart {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** The drawings of the page, as SVG. */
export function drawCharts(groups: readonly ResultGroup[]): readonly Chart[] {
  const rows = new Map(groups.flatMap((group) => group.rows).map((row) => [row.id, row]));
  const pick = (...ids: readonly string[]): readonly ResultRow[] => ids.flatMap((id) => rows.get(id) ?? []);
  const direct = ["constant", "seen", "seen-grpc-js", "no-token", "denied", "routed"];
  const fresh = ["RS256", "ES256", "EdDSA"].flatMap((alg) => [`verify-${alg}`, `fresh-${alg}`]);
  const envoys = ["plain", "own", "lean", "fresh-RS256", "grpc-js", "constant"].map((id) => `envoy-${id}`);
  const counts = ["own", "lean", "own-1000", "lean-1000", "own-10000", "lean-10000"].map((id) => `envoy-${id}`);
  const rates = ["own", "lean", "grpc-js"].flatMap((id) => [`paced-${id}-1000`, `paced-${id}-5000`]);
  return [
    drawBars("checks.svg", "Checks a second of one core (from CPU time)", pick(...direct, ...fresh), [
      { name: "checks/s", value: (row) => 1e6 / sum(row.cpu) },
    ]),
    drawBars("envoy.svg", "CPU of one request in µs", pick(...envoys), CPU_PARTS),
    drawBars("policies.svg", "CPU of one request in µs, by number of policies (logarithmic)", pick(...counts), [
      { name: "Envoy + server", value: (row) => sum(row.cpu) },
    ]),
    drawBars("latency.svg", "Latency added in ms (logarithmic)", pick(...rates), PERCENTILES),
  ];
}

interface Series {
  readonly name: string;
  readonly value: (row: ResultRow) => number;
}

const CPU_PARTS: readonly Series[] = [
  { name: "Envoy", value: ({ cpu }) => cpu[0] ?? 0 },
  { name: "server", value: ({ cpu }) => cpu[1] ?? 0 },
];

const PERCENTILES: readonly Series[] = [
  { name: "p50", value: ({ latency }) => latency?.p50 ?? Number.NaN },
  { name: "p99", value: ({ latency }) => latency?.p99 ?? Number.NaN },
  { name: "p99.9", value: ({ latency }) => latency?.p999 ?? Number.NaN },
];

function drawBars(file: string, title: string, rows: readonly ResultRow[], series: readonly Series[]): Chart {
  const isLogarithmic = title.includes("logarithmic");
  const isStacked = series === CPU_PARTS;
  const height = 110 + rows.length * (isStacked ? 30 : 14 + 14 * series.length);
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 900, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#fff", // read on dark pages too
    title: { text: title, left: 10, top: 8, textStyle: { fontSize: 14 } },
    ...(series.length > 1 ? { legend: { top: 8, right: 10, data: series.map(({ name }) => name) } } : {}),
    grid: { left: 370, right: 80, top: 45, bottom: 30 },
    xAxis: { type: isLogarithmic ? "log" : "value" },
    yAxis: { type: "category", inverse: true, data: rows.map(({ name }) => name.replaceAll("`", "")) },
    series: series.map(({ name, value }) => ({
      type: "bar",
      name,
      data: rows.map((row) => readable(value(row))),
      label: { show: true, position: isStacked ? "inside" : "right", formatter: hideZero },
      ...(isStacked ? { stack: "all" } : {}),
    })),
  });
  const svg = `${chart.renderToSVGString()}\n`;
  chart.dispose();
  return { file, title, svg };
}

/** Not more digits than mean something. A logarithm needs a value above 0. */
function readable(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(0, value >= 1000 ? Math.round(value / 100) * 100 : Number(value.toPrecision(3)));
}

function hideZero({ value }: { readonly value?: unknown }): string {
  return value === 0 ? "" : Number(value).toLocaleString("en");
}
