import type { ResultGroup } from "./results.ts";

/** What is promised of one run. */
export interface Bar {
  readonly name: string;
  /** As it was promised. */
  readonly promised: string;
  readonly measured: number;
  readonly isMet: boolean;
}

/** The promises, held against what was measured. */
export function checkBars(groups: readonly ResultGroup[]): readonly Bar[] {
  const rows = new Map(groups.flatMap((group) => group.rows).map((row) => [row.id, row]));
  const ratio = (id: string): number => rows.get(id)?.ratio?.value ?? Number.NaN;
  return [
    atLeast("a token seen before: checks of a core, beside grpc-js with a constant answer", 4, ratio("seen")),
    atMost("CPU of Envoy + server, beside Envoy with its own filters", 1.4, ratio("envoy-lean")),
    atLeast("fresh RS256 tokens, beside `crypto.verify` alone", 0.6, ratio("fresh-RS256")),
    atMost("10,000 policies beside 10: time of a check", 1.2, ratio("policies-10000")),
    atMost("10,000 policies beside 10: p99", 1.2, ratio("paced-policies-10000")),
  ];
}

function atLeast(name: string, bound: number, measured: number): Bar {
  return { name, promised: `at least ${bound}x`, measured, isMet: measured >= bound };
}

function atMost(name: string, bound: number, measured: number): Bar {
  return { name, promised: `at most ${bound}x`, measured, isMet: measured <= bound };
}

/** As a table in Markdown. */
export function toBarTable(bars: readonly Bar[]): string {
  return [
    "| promise | | measured | |",
    "| --- | --- | --- | --- |",
    ...bars.map(
      ({ name, promised, measured, isMet }) =>
        `| ${name} | ${promised} | ${measured.toFixed(2)}x | ${isMet ? "kept" : "**missed**"} |`,
    ),
    "",
  ].join("\n");
}
