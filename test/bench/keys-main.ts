import { FLOOD_PER_SECOND, startKeyFlood } from "./key-flood.ts";
import { measureLookup } from "./key-lookup.ts";
import { measureLargeKeySets } from "./large-key-sets.ts";
import { median } from "./median.ts";
import { ratioOf, sum, toResults } from "./results.ts";
import { measureRows } from "./row.ts";
import { Running } from "./running.ts";
import { LOAD_CORE, pin } from "./server-process.ts";
import { toTable } from "./table.ts";

const log = (line: string): void => void process.stderr.write(`${line}\n`);

log("50 issuers with 2,500 keys each ...");
const situations = await measureLargeKeySets({ issuers: 50, keysPerIssuer: 2500 });
log("looking up one key of 2,500 ...");
const lookup = await measureLookup({ keys: 2500, rounds: 5, calls: 2000 });
log("a flood of unknown keys ...");
pin(process.pid, LOAD_CORE);
const effort = { rounds: 15, loadMs: 800, warmUpMs: 1500, pacedMs: 0 };
const running = new Running();
const flood = await startKeyFlood(effort, running);
const { goodAlone, goodBeside, floodAlone } = flood;
const rows = [goodAlone, goodBeside, floodAlone];
await measureRows(rows, effort, log);
const { count, elapsedSec } = flood.fetches();
const perSecond = flood.floodPerSecond();
const perCpuSecond = perSecond / median(goodBeside.samples.map((sample) => (sample.perSecond * sum(sample.cpu)) / 1e6));
const byClock = ratioOf(goodBeside, goodAlone, "clock");
const byCpu = ratioOf(goodBeside, goodAlone, "rate");
// What a busy machine takes from the server makes the flood, which goes by the clock, the larger part of what is left.
const onOwnCore = 1 - (1 - byCpu) * (FLOOD_PER_SECOND / perCpuSecond);

const lines = [
  "| 50 key sets of 1 MB, 2,500 keys each | longest turn of the event loop, CPU | by the clock |",
  "| --- | --- | --- |",
  ...situations.map(({ name, turn }) => `| ${name} | ${turn.cpuMs.toFixed(0)} ms | ${turn.wallMs.toFixed(0)} ms |`),
  "",
  "| CPU of one check | µs |",
  "| --- | --- |",
  `| token never seen, key set of 1 key | ${lookup.withOneKey.toFixed(1)} |`,
  `| token never seen, key set of 2,500 keys | ${lookup.withManyKeys.toFixed(1)} |`,
  "",
  toTable([toResults("A flood of tokens with random key ids", rows, "full")]),
  `Good traffic beside the flood, to what it is alone: ${byClock.toFixed(3)} by the clock, ${byCpu.toFixed(3)} from the same CPU of the server.`,
  `Of the flood came ${perSecond.toFixed(0)} a second, ${perCpuSecond.toFixed(0)} in a second of the server's CPU. At ${FLOOD_PER_SECOND}, as on a core that does nothing else, good traffic keeps ${onOwnCore.toFixed(3)} of what it is alone.`,
  `The issuer was asked ${count} times in ${elapsedSec.toFixed(0)} s, the first included.`,
];
process.stdout.write(`${lines.join("\n")}\n`);
process.exit(0);
