import { parseArgs } from "node:util";
import { runBench } from "./bench.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    calls: { type: "string", default: "30000" },
  },
});
const table = await runBench({
  rounds: Number(values.rounds),
  calls: Number(values.calls),
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(table);
process.exit(0);
