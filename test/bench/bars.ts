import type { BenchResult } from "./bench.ts";

/** What is promised of one run. */
export interface Bar {
  readonly name: string;
  /** As it was promised. */
  readonly promised: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** The promises, held against what was measured. */
export function checkBars({ groups, memory }: Pick<BenchResult, "groups" | "memory">): readonly Bar[] {
  const rows = new Map(groups.flatMap((group) => group.rows).map((row) => [row.id, row]));
  const ratio = (id: string): number => rows.get(id)?.ratio?.value ?? Number.NaN;
  return [
    atLeast("a token seen before: checks/s on one core, beside grpc-js with a constant answer", 4, ratio("seen")),
    atMost("CPU of Envoy + server, beside Envoy with its own filters", 1.4, ratio("envoy-lean")),
    atLeast("fresh RS256 tokens, beside `crypto.verify` alone", 0.6, ratio("fresh-RS256")),
    atMost("10,000 policies beside 10: time of a check", 1.2, ratio("policies-10000")),
    atMost("10,000 policies beside 10: p99", 1.2, ratio("paced-policies-10000")),
    atLeast("good traffic beside 1,000 unknown key ids a second, to what it is alone", 0.9, ratio("good-beside")),
    atMost("resident memory with 10,000 policies and 100,000 tokens", 300, memory.withTokens, " MiB"),
  ];
}

function atLeast(name: string, bound: number, measured: number): Bar {
  return { name, promised: `at least ${bound}x`, measured: `${measured.toFixed(2)}x`, isMet: measured >= bound };
}

function atMost(name: string, bound: number, measured: number, unit: "x" | " MiB" = "x"): Bar {
  const digits = unit === "x" ? 2 : 0;
  const isMet = measured <= bound;
  return { name, promised: `at most ${bound}${unit}`, measured: `${measured.toFixed(digits)}${unit}`, isMet };
}

/** As a table in Markdown. */
export function toBarTable(bars: readonly Bar[]): string {
  return [
    "| promise | | measured | |",
    "| --- | --- | --- | --- |",
    ...bars.map(
      ({ name, promised, measured, isMet }) =>
        `| ${name} | ${promised} | ${measured} | ${isMet ? "kept" : "**missed**"} |`,
    ),
    "",
  ].join("\n");
}
