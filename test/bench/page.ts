import { type Bar, toBarTable } from "./bars.ts";
import type { BenchEffort, BenchResult } from "./bench.ts";
import type { Chart } from "./charts.ts";
import { toTable } from "./table.ts";

/** What the page is made of. */
export interface PageParts {
  readonly result: BenchResult;
  readonly bars: readonly Bar[];
  readonly charts: readonly Chart[];
  readonly effort: BenchEffort;
  readonly machine: string;
  readonly date: Date;
}

/** docs/performance.md. */
export function toPage({ result, bars, charts, effort, machine, date }: PageParts): string {
  return `<!-- Written by \`make bench\`; every number comes from one run. -->

# Performance

Measured on ${date.toISOString().slice(0, 10)}: ${machine}.
Machines differ, and so do runs: only ratios of one run mean something. \`make bench\` writes this page anew.

## What is promised

${toBarTable(bars)}
## All rows of the run

${toTable(result.groups)}
${toMemoryLine(result)}

${charts.map(({ file, title }) => `![${title}](performance/${file})`).join("\n\n")}

## How it is measured

- ${result.isPinned ? "The server and Envoy are bound to one core, the load generator to the other (`taskset`)." : "Nothing was bound to a core (no `taskset` here), so figures are rougher than they could be."}
  Gatehouse is one authz-server process with one worker, which got its policies by a stream, as in production; all servers run with the options of Node that the image has.
- **CPU µs per check** is user and system time of all threads of the process, from \`/proc\`, divided by the checks. It does not depend on what else the machine does as much as **checks/s**, which goes by the clock.
  With Envoy it is Envoy + server.
- Rows of one group are measured in turn, ${effort.rounds} rounds of ${effort.loadMs} ms, at a rate ${effort.pacedRounds} rounds of ${effort.pacedMs} ms. Shown are medians; a ratio is the median of the ratios of each round: of checks/s by the clock, of checks by CPU time. Servers are warmed up first.
- Asked directly: 2 connections with 50 calls each, always busy. A check is what Envoy sends for a browser's GET with a dozen headers and a token of 660 bytes. The load generator (\`test/bench/grpc-load.ts\`) sends frames made beforehand and
  fails when answers differ; a real client asks first whether they are right.
- \`crypto.verify\` alone: the same tokens in a loop, without reading them. Fresh tokens are verified for the first time; all others were seen before. Envoy's own filter remembers none, so that to it all are alike.
- \`--workers 2\`: the CPU of the primary and of both workers, all on that one core; each worker has one of the two connections. What it costs beside one process is the price of using more cores.
- Through Envoy: 16 HTTP/1.1 connections; Envoy has one worker and answers by itself (\`direct_response\`), so that no upstream is measured. Its own filters are configured as Istio does for the same policies.
- At a rate: requests are due at random times, the same for all rows, and latency counts from the time at which one was due. Added is what is more than of an Envoy that asks nobody, percentile by percentile.
- The policies of "few and many" select one workload; each lets the paths of one service pass. The requests go round 64 of them.
- The grpc-js server with the constant answer decodes nothing: it shows what the library costs.
- The flood has connections of its own, on which 1,000 tokens are due each second, whether earlier ones are answered or not; good traffic is always busy. All CPU of the server counts for the good checks. \`make bench-keys\` measures it for longer, by the clock too.

## Against another authorizer

\`make bench AUTHZ=host:port\` asks any ext_authz v3 gRPC server, beside a Gatehouse and the constant answer in the same run. It first prints the policy, the metadata and the token that it will use, so that the other
can be configured alike; \`AUTHZ_PID=...\` counts the CPU of that process, too. It should have one core, as Gatehouse has: \`taskset -a -c -p 0 PID\`. This page is not written then.
\`make bench QUICK=1\` takes one to two minutes instead of seven and prints rougher figures.
`;
}

function toMemoryLine({ memory }: BenchResult): string {
  const { policies, tokens, tokenBytes, withPolicies, withTokens } = memory;
  const count = (value: number): string => value.toLocaleString("en");
  return `Resident memory of a server with ${count(policies)} policies: ${withPolicies.toFixed(0)} MiB; with ${count(tokens)} tokens of ${tokenBytes} bytes in its cache, too: ${withTokens.toFixed(0)} MiB.`;
}
