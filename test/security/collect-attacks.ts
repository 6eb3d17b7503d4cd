import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createVitest } from "vitest/node";
import type { SecurityCase } from "./register.ts";

/** A registered attack and the file of its test, relative to the repository. */
export interface CollectedAttack extends SecurityCase {
  readonly file: string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The attacks that the tests of this folder register; no test is run. Throws when a file can't be loaded. */
export async function collectAttacks(): Promise<readonly CollectedAttack[]> {
  const vitest = await createVitest("test", { root: ROOT, watch: false, reporters: [] });
  try {
    const { testModules } = await vitest.collect(["test/security/"], { staticParse: false });
    const attacks: CollectedAttack[] = [];
    for (const module of testModules) {
      const errors = module.errors();
      if (errors.length > 0) throw new Error(`${module.moduleId}: ${errors.map(({ message }) => message).join("; ")}`);
      for (const test of module.children.allTests()) {
        const { attack } = test.meta();
        if (attack !== undefined) attacks.push({ ...attack, file: relative(ROOT, module.moduleId) });
      }
    }
    return attacks;
  } finally {
    await vitest.close();
  }
}
