import { measureLookup } from "./key-lookup.ts";
import { measureLargeKeySets } from "./large-key-sets.ts";
import { measureFlood } from "./unknown-keys.ts";

const log = (line: string): void => void process.stderr.write(`${line}\n`);

log("50 issuers with 2,500 keys each ...");
const situations = await measureLargeKeySets({ issuers: 50, keysPerIssuer: 2500 });
log("looking up one key of 2,500 ...");
const lookup = await measureLookup({ keys: 2500, rounds: 5, calls: 2000 });
log("a flood of unknown keys ...");
const flood = await measureFlood({ rounds: 5, calls: 30_000 });

const lines = [
  "| 50 key sets of 1 MB, 2,500 keys each | longest turn of the event loop, CPU | by the clock |",
  "| --- | --- | --- |",
  ...situations.map(({ name, turn }) => `| ${name} | ${turn.cpuMs.toFixed(0)} ms | ${turn.wallMs.toFixed(0)} ms |`),
  "",
  "| CPU of one check | µs |",
  "| --- | --- |",
  `| token never seen, key set of 1 key | ${lookup.withOneKey.toFixed(1)} |`,
  `| token never seen, key set of 2,500 keys | ${lookup.withManyKeys.toFixed(1)} |`,
  `| token seen before, transport included | ${flood.goodMicroseconds.toFixed(1)} |`,
  `| token with an unknown key, in a flood of ${flood.floodPerSecond.toFixed(0)}/s, transport included | ${flood.floodMicroseconds.toFixed(1)} |`,
  "",
  `A flood of 1,000 unknown keys a second takes ${(flood.floodMicroseconds / 10).toFixed(1)} % of one core from the good traffic.`,
  `The issuer was asked ${flood.fetches} times in ${flood.elapsedSec.toFixed(0)} s, the first included.`,
];
process.stdout.write(`${lines.join("\n")}\n`);
process.exit(0);
