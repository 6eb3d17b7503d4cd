import { measureMemory } from "./memory.ts";

// Prints the resident memory of an authz-server that `tsc -b` has built:
// `node --conditions=source test/bench/memory-main.ts [policies] [tokens] [node options, in place of those of the image]`.
const [, , policies = "10000", tokens = "100000", ...nodeOptions] = process.argv;
const use = await measureMemory(Number(policies), Number(tokens), nodeOptions.length > 0 ? nodeOptions : undefined);
const { withPolicies, withTokens, tokenBytes } = use;
process.stdout.write(
  `${policies} policies: ${withPolicies.toFixed(0)} MiB; with ${tokens} tokens of ${tokenBytes} bytes: ${withTokens.toFixed(0)} MiB\n`,
);
process.exit(0);
