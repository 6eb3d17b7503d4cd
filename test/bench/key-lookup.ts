import { type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import { mintTestToken, publicJwks } from "../support/jwt.ts";
import { requireJwtPolicies } from "./check-requests.ts";
import { jwksText } from "./large-key-sets.ts";
import { median } from "./median.ts";
import { threadCpuMicroseconds } from "./thread-cpu.ts";

/** CPU of one check whose token was never seen, in microseconds: the key is looked up, and the signature verified. */
export interface LookupResult {
  readonly withOneKey: number;
  readonly withManyKeys: number;
}

/** What it costs that the key set is large. @param keys in the large one */
export async function measureLookup({
  keys,
  rounds,
  calls,
}: {
  readonly keys: number;
  readonly rounds: number;
  readonly calls: number;
}): Promise<LookupResult> {
  const own: { readonly keys: readonly object[] } = JSON.parse(publicJwks("rsa-2048"));
  const others: { readonly keys: readonly object[] } = JSON.parse(jwksText(keys - 1));
  const one = await serverWith(own);
  // The right one is the last: what walks over the keys walks far.
  const many = await serverWith({ keys: [...others.keys, ...own.keys] });
  const token = await mintTestToken();
  const costs: { readonly one: number; readonly many: number }[] = [];
  for (let round = -1; round < rounds; round++) {
    const cost = { one: await costOf(one, token, calls), many: await costOf(many, token, calls) };
    if (round >= 0) costs.push(cost); // the round before the first warms up
  }
  return {
    withOneKey: median(costs.map(({ one: cost }) => cost)),
    withManyKeys: median(costs.map(({ many: cost }) => cost)),
  };
}

function serverWith(jwks: object): Promise<CheckHarness> {
  const tokenCache = { entries: 0, bytes: 0 };
  return createCheckHarness({ policies: requireJwtPolicies(JSON.stringify(jwks)), tokenCache });
}

async function costOf(server: CheckHarness, token: string, calls: number): Promise<number> {
  const before = threadCpuMicroseconds();
  for (let call = 0; call < calls; call++) {
    const { status } = await server.check({ token });
    if (status !== 200) throw new Error(`answered ${status} instead of 200`);
  }
  return (threadCpuMicroseconds() - before) / calls;
}
