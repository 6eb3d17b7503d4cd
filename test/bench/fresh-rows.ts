import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { directTarget } from "./direct-target.ts";
import { FRESH_ALGORITHMS, type FreshAlgorithm, signTokens } from "./fresh-tokens.ts";
import { type Effort, type Row, WARM_UPS } from "./row.ts";
import { takeSample } from "./sample.ts";
import type { ServerProcess } from "./server-process.ts";

/** Tokens that the server never saw, beside what `crypto.verify` alone does with them on the same core. */
export function freshRows(authz: ServerProcess, verifier: ServerProcess, { rounds, loadMs }: Effort): readonly Row[] {
  const eachRound = Math.ceil(loadMs * 4); // signing them takes longer than anything else
  return FRESH_ALGORITHMS.flatMap((alg) => {
    const tokens = signTokens(alg, eachRound * (rounds + WARM_UPS));
    return [verifyRow(alg, verifier, tokens.slice(0, eachRound)), freshRow(alg, authz, tokens, eachRound)];
  });
}

function verifyRow(alg: FreshAlgorithm, verifier: ServerProcess, tokens: readonly string[]): Row {
  return {
    title: { id: `verify-${alg}`, name: `crypto.verify alone (${alg})` },
    samples: [],
    async measure() {
      const answer = await fetch(`http://127.0.0.1:${verifier.port}/`, { method: "POST", body: tokens.join("\n") });
      const cpu = Number(await answer.text());
      const nothing = { p50: Number.NaN, p99: Number.NaN, p999: Number.NaN };
      return { perSecond: 1e6 / cpu, cpu: [cpu], latency: nothing };
    },
  };
}

function freshRow(alg: FreshAlgorithm, authz: ServerProcess, tokens: readonly string[], calls: number): Row {
  const encode = checkRequestEncoder();
  let next = 0;
  return {
    title: {
      id: `fresh-${alg}`,
      name: `Gatehouse, fresh tokens (${alg})`,
      beside: { id: `verify-${alg}`, by: "rate" },
    },
    samples: [],
    measure() {
      const messages = tokens.slice(next, next + calls).map((token) => encode(token));
      next += calls;
      return takeSample(directTarget({ ...authz, metadata: METADATA, messages }), { calls });
    },
  };
}
