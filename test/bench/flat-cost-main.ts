import { measureFlatCost } from "./flat-cost.ts";
import { SHAPES, WORST_CASES } from "./flat-cost-shapes.ts";

// Prints what a check costs under few policies and under many: `node --conditions=source test/bench/flat-cost-main.ts [name]`.
const [, , only = ""] = process.argv;
for (const shape of [...SHAPES, ...WORST_CASES].filter(({ name }) => name.includes(only))) {
  const effort = WORST_CASES.includes(shape) ? { rounds: 5, checks: 400 } : { rounds: 15, checks: 4000 };
  const [cost] = await measureFlatCost([shape], effort);
  if (cost === undefined) continue;
  const { few, many, fewMicroseconds, manyMicroseconds, ratio, firstMs } = cost;
  const times = `${fewMicroseconds.toFixed(1)} -> ${manyMicroseconds.toFixed(1)} µs`;
  process.stdout.write(
    `${cost.shape.padEnd(44)} ${few} -> ${many}: ${times}, ${ratio.toFixed(2)}x, first ${firstMs.toFixed(0)} ms\n`,
  );
}
