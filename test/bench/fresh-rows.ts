import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { directTarget } from "./direct-target.ts";
import { FRESH_ALGORITHMS, type FreshAlgorithm, signTokens } from "./fresh-tokens.ts";
import { type Effort, type Row, type RowTitle, WARM_UPS } from "./row.ts";
import { type Target, takeSample } from "./sample.ts";
import type { ServerProcess } from "./server-process.ts";

/** Tokens that the server never saw, beside what `crypto.verify` alone does with them on the same core. */
export function freshRows(authz: ServerProcess, verifier: ServerProcess, effort: Effort): readonly Row[] {
  const encode = checkRequestEncoder();
  return FRESH_ALGORITHMS.flatMap((alg) => {
    const beside = { id: `verify-${alg}`, by: "rate" } as const;
    const title = { id: `fresh-${alg}`, name: `Gatehouse, fresh tokens (${alg})`, beside };
    const target = (tokens: readonly string[]): Target =>
      directTarget({ ...authz, metadata: METADATA, messages: tokens.map((token) => encode(token)) });
    return [verifyRow(alg, verifier, effort), freshRow(title, alg, effort, target)];
  });
}

/** A row whose tokens are others in each round. @param target that is sent these tokens */
export function freshRow(
  title: RowTitle,
  alg: FreshAlgorithm,
  effort: Effort,
  target: (tokens: readonly string[]) => Target,
): Row {
  const calls = callsOf(effort);
  const tokens = signTokens(alg, calls * (effort.rounds + WARM_UPS));
  let next = 0;
  return {
    title,
    samples: [],
    measure() {
      const fresh = tokens.slice(next, next + calls);
      next += calls;
      return takeSample(target(fresh), { calls });
    },
  };
}

function verifyRow(alg: FreshAlgorithm, verifier: ServerProcess, effort: Effort): Row {
  const body = signTokens(alg, callsOf(effort)).join("\n");
  return {
    title: { id: `verify-${alg}`, name: `crypto.verify alone (${alg})` },
    samples: [],
    async measure() {
      const answer = await fetch(`http://127.0.0.1:${verifier.port}/`, { method: "POST", body });
      const cpu = Number(await answer.text());
      const nothing = { p50: Number.NaN, p99: Number.NaN, p999: Number.NaN };
      return { perSecond: 1e6 / cpu, cpu: [cpu], latency: nothing };
    },
  };
}

/** Of one round: enough that each has its share of collected garbage. */
function callsOf({ loadMs }: Effort): number {
  return Math.ceil(loadMs * 16);
}
