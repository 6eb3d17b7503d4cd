import { parseArgs } from "node:util";
import { isRefusedByCodec } from "./case.ts";
import { runInProcess } from "./in-process.ts";
import { loadCases } from "./load-cases.ts";
import { describeOutcome, type Outcome, tally, WAYS, type Way } from "./run-cases.ts";
import { runThroughEnvoy } from "./through-envoy.ts";

const HELP = `Runs test/cases in process and through a real Envoy, and counts the requests answered as expected.
  --group NAME    only this group (may be repeated)
  --case G/NAME   only this scenario (may be repeated)
  --way WAY       only "in process" or "through Envoy"
  --verbose       shows each difference
`;

const { values } = parseArgs({
  options: {
    group: { type: "string", multiple: true },
    case: { type: "string", multiple: true },
    way: { type: "string" },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) print(HELP);
else process.exitCode = await main();
// Something that was not stopped must show as a failed test, not as a command that never ends.
process.exit();

async function main(): Promise<number> {
  const scenarios = loadCases().filter(
    ({ id, group }) => (values.group?.includes(group) ?? true) && (values.case?.includes(id) ?? true),
  );
  if (scenarios.length === 0) {
    print("no such group or case; the folders of test/cases are the groups\n");
    return 2;
  }
  const ways = WAYS.filter((way) => values.way === undefined || values.way === way);
  const outcomes: Outcome[] = [];
  if (ways.includes("in process")) for (const scenario of scenarios) outcomes.push(...(await runInProcess(scenario)));
  if (ways.includes("through Envoy")) {
    for await (const finished of runThroughEnvoy(scenarios)) outcomes.push(...finished);
  }
  const failed = outcomes.filter(({ differences }) => differences.length > 0);
  if (values.verbose) for (const outcome of failed) print(`${describeOutcome(outcome)}\n`);
  const groups = [...new Set(scenarios.map(({ group }) => group))];
  for (const group of groups) print(`${group}: ${ways.map((way) => counts(outcomes, group, way)).join(", ")}\n`);
  const onlyEnvoy = scenarios.flatMap(({ requests }) => requests.filter(isRefusedByCodec)).length;
  if (onlyEnvoy > 0) print(`${onlyEnvoy} requests are refused by Envoy's HTTP codec and run through Envoy only\n`);
  return failed.length === 0 ? 0 : 1;
}

function counts(outcomes: readonly Outcome[], group: string, way: Way): string {
  const { passed, total } = tally(outcomes, group, way);
  return `${way} ${passed}/${total}`;
}

function print(text: string): void {
  process.stdout.write(text);
}
