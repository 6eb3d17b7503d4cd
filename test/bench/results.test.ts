import { expect, it } from "vitest";
import { checkBars, toBarTable } from "./bars.ts";
import { drawCharts } from "./charts.ts";
import { toResults } from "./results.ts";
import type { Row, RowTitle } from "./row.ts";
import type { Sample } from "./sample.ts";
import { toTable } from "./table.ts";

it("takes the median of the ratios of each round, not the ratio of medians: both rows of a round have the same neighbours", () => {
  const rows = [
    row({ id: "constant", name: "yardstick" }, [sample([10]), sample([20]), sample([90])]),
    row({ id: "seen", name: "ours", beside: { id: "constant", by: "rate" } }, [sample([2]), sample([4]), sample([10])]),
  ];
  const ours = toResults("title", rows, "full").rows[1];
  expect(ours?.ratio).toEqual({ id: "constant", by: "rate", value: 5 });
  expect(ours?.cpu).toEqual([4]);
});

it("counts the CPU of all processes, and what latency is added", () => {
  const rows = [
    row({ id: "own", name: "own" }, [sample([40], 1)]),
    row({ id: "lean", name: "lean", beside: { id: "own", by: "cost" }, addedTo: "own" }, [sample([42, 10], 3)]),
  ];
  const lean = toResults("title", rows, "paced").rows[1];
  expect(lean?.ratio?.value).toBe(1.3);
  expect(lean?.latency).toEqual({ p50: 2, p99: 2, p999: 2 });
});

it("numbers the rows over all groups, and says beside which each ratio is", () => {
  const groups = [
    toResults("one", [row({ id: "a", name: "first" }, [sample([5])])], "full"),
    toResults(
      "two",
      [
        row({ id: "b", name: "second" }, [sample([5])]),
        row({ id: "c", name: "third", beside: { id: "b", by: "cost" } }, [sample([6, 4])]),
      ],
      "full",
    ),
  ];
  expect(toTable(groups)).toContain("| 3 | third | 1,000 | 6.0 + 4.0 = 10.0 | 2.00x the CPU of 2 |  |");
});

it("says that a promise is missed, also when it was not measured", () => {
  const rows = [
    row({ id: "constant", name: "yardstick" }, [sample([60])]),
    row({ id: "seen", name: "ours", beside: { id: "constant", by: "rate" } }, [sample([20])]),
  ];
  const memory = { policies: 1, tokens: 1, tokenBytes: 1, withPolicies: 200, withTokens: 300.4 };
  const bars = checkBars({ groups: [toResults("title", rows, "full")], memory });
  const [seen, unmeasured] = bars;
  expect(seen).toMatchObject({ measured: "3.00x", isMet: false });
  expect(unmeasured).toMatchObject({ isMet: false });
  expect(bars.at(-1)).toMatchObject({ promised: "at most 300 MiB", measured: "300 MiB", isMet: false });
  expect(toBarTable(seen === undefined ? [] : [seen])).toContain("| at least 4x | 3.00x | **missed** |");
});

it("draws what was measured as SVG", () => {
  const rows = [row({ id: "constant", name: "a < b & `c`" }, [sample([60])])];
  const [checks] = drawCharts([toResults("title", rows, "full")]);
  expect(checks?.svg).toMatch(/^<svg .*<\/svg>\n$/s);
  expect(checks?.svg).toContain("a &lt; b &amp; c");
  expect(checks?.svg).toContain("16,700");
});

function row(title: RowTitle, samples: readonly Sample[]): Row {
  return { title, samples: [...samples], measure: () => Promise.reject(new Error("not measured here")) };
}

function sample(cpu: readonly number[], ms = 1): Sample {
  return { perSecond: 1000, cpu, latency: { p50: ms, p99: ms, p999: ms } };
}
