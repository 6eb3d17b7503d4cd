import { parseArgs } from "node:util";
import { DEFAULT_PLAN } from "./plan.ts";
import { runPlan } from "./run-plan.ts";

const HELP = `Compares Gatehouse with Envoy's own filters on random policies and requests.
  --requests N    default ${DEFAULT_PLAN.requests}
  --seed SEED     default ${DEFAULT_PLAN.seed}; "random" draws one
  --sets N        policy sets; default one for each 50 requests
  --only NAME     only this set, e.g. 1/17 (may be repeated)
`;

const REQUESTS_PER_SET = DEFAULT_PLAN.requests / DEFAULT_PLAN.policySets;

const { values } = parseArgs({
  options: {
    requests: { type: "string" },
    seed: { type: "string" },
    sets: { type: "string" },
    only: { type: "string", multiple: true },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();
// Something that was not stopped must not keep the command from ending.
process.exit();

async function main(): Promise<number> {
  const { only } = values;
  // The name of a set says which seed it comes from, and how many sets there are at least.
  const [firstOnly] = only ?? [];
  const seed = values.seed ?? firstOnly?.split("/")[0] ?? DEFAULT_PLAN.seed;
  const lastOnly = Math.max(0, ...(only ?? []).map((name) => Number(name.split("/")[1]) + 1));
  const requests = Number(values.requests ?? Math.max(DEFAULT_PLAN.requests, lastOnly * REQUESTS_PER_SET));
  const policySets = Number(values.sets ?? Math.ceil(requests / REQUESTS_PER_SET));
  if (!(requests > 0 && policySets > 0)) {
    process.stderr.write(HELP);
    return 2;
  }
  const drawn = seed === "random" ? String(Math.floor(Math.random() * 2 ** 32)) : seed;
  process.stdout.write(`seed ${drawn}\n`);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  return (await runPlan({ seed: drawn, requests, policySets }, print, only)) ? 0 : 1;
}
