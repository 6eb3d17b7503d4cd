import { mintTestToken } from "../support/jwt.ts";
import { ask } from "./ask.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { directTarget } from "./direct-target.ts";
import { servicePaths, servicePolicies } from "./policies.ts";
import { type Effort, loadRow, pacedRow, type Row, warmUp } from "./row.ts";
import type { Running } from "./running.ts";
import type { Target } from "./sample.ts";
import { startAuthzProcess } from "./start-authz-process.ts";

/** How many policies a workload has. */
export const POLICY_COUNTS = [10, 1_000, 10_000] as const;

/** The same request under few policies and under many: at full load, and at a rate that leaves the core idle for the most part. */
export async function startPolicyRows(
  effort: Effort,
  running: Running,
): Promise<{ readonly full: readonly Row[]; readonly paced: readonly Row[] }> {
  const targets: { readonly count: number; readonly target: Target }[] = [];
  for (const count of POLICY_COUNTS) targets.push({ count, target: await startTarget(count, effort, running) });
  const name = (count: number): string => `Gatehouse, ${count.toLocaleString("en")} policies`;
  return {
    full: targets.map(({ count, target }) =>
      loadRow(
        {
          id: `policies-${count}`,
          name: name(count),
          ...(count === 10 ? {} : { beside: { id: "policies-10", by: "cost" } }),
        },
        target,
        effort,
      ),
    ),
    paced: targets.map(({ count, target }) =>
      pacedRow(
        {
          id: `paced-policies-${count}`,
          name: `${name(count)}, ${PER_SECOND.toLocaleString("en")} checks/s`,
          ...(count === 10 ? {} : { beside: { id: "paced-policies-10", by: "p99" } }),
        },
        target,
        { perSecond: PER_SECOND, pacedMs: effort.pacedMs },
      ),
    ),
  };
}

const PER_SECOND = 5_000;

async function startTarget(count: number, effort: Effort, running: Running): Promise<Target> {
  const server = await running.add(startAuthzProcess(servicePolicies(count)));
  const encode = checkRequestEncoder();
  const token = await mintTestToken({ jti: "seen" });
  const messages = servicePaths(count).map((path) => encode(token, path));
  const all = [...messages.map((message) => ({ message, status: 200 })), { message: encode(token), status: 403 }];
  for (const { message, status } of all) {
    const answer = await ask(`127.0.0.1:${server.port}`, METADATA, message);
    if (answer.status !== status) throw new Error(`${count} policies: answered ${answer.status} instead of ${status}`);
  }
  const target = directTarget({ ...server, metadata: METADATA, messages });
  await warmUp(target, effort);
  return target;
}
