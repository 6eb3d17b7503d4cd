import { type CheckInput, createCheckHarness, encodeCheck, identityOf } from "../support/check-harness.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { median } from "./median.ts";
import { threadCpuMicroseconds } from "./thread-cpu.ts";

/** What one check costs under a few policies and under many. */
export interface FlatCost {
  readonly shape: string;
  /** How many policies (or issuers, or routes) each of the two has. */
  readonly few: number;
  readonly many: number;
  /** Microseconds of CPU a check, medians. */
  readonly fewMicroseconds: number;
  readonly manyMicroseconds: number;
  /** Of many to few: the median of the ratios of each round. */
  readonly ratio: number;
  /** Milliseconds that the first check takes, which builds the indexes. */
  readonly firstMs: number;
}

/** One way in which policies can be many. */
export interface Shape {
  readonly name: string;
  /** The objects, `count` of those that are many. */
  readonly objects: (count: number) => readonly object[];
  /** The requests, allowed all; `n` tells them apart. */
  readonly request: (n: number) => CheckInput;
  readonly few: number;
  readonly many: number;
}

/** Measures each shape with its few and its many in turn, so that a noisy neighbour hits both alike. */
export async function measureFlatCost(
  shapes: readonly Shape[],
  effort: { readonly rounds: number; readonly checks: number },
): Promise<readonly FlatCost[]> {
  const token = await mintTestToken({ sub: "user", groups: ["g"] });
  const costs: FlatCost[] = [];
  for (const shape of shapes) costs.push(await measureShape(shape, token, effort));
  return costs;
}

async function measureShape(
  { name, objects, request, few, many }: Shape,
  token: string,
  { rounds, checks }: { readonly rounds: number; readonly checks: number },
): Promise<FlatCost> {
  const sides = await Promise.all([few, many].map((count) => createSide(objects(count), request, { count, token })));
  const firstMs = (sides[1]?.run(1) ?? Number.NaN) / 1000;
  for (const side of sides) side.run(checks);
  const samples = sides.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) samples[i]?.push(side.run(checks) / checks);
  }
  const [fewMicroseconds = Number.NaN, manyMicroseconds = Number.NaN] = samples.map(median);
  const [fewOf = [], manyOf = []] = samples;
  const ratio = median(manyOf.map((cost, round) => cost / (fewOf[round] ?? Number.NaN)));
  return { shape: name, few, many, fewMicroseconds, manyMicroseconds, ratio, firstMs };
}

interface Side {
  /** @returns microseconds of CPU */
  run(checks: number): number;
}

/** As many different requests as this take turns. */
const REQUESTS = 64;

async function createSide(
  objects: readonly object[],
  request: Shape["request"],
  { count, token }: { readonly count: number; readonly token: string },
): Promise<Side> {
  const harness = await createCheckHarness({ policies: [AUTHENTICATION, ...objects] });
  const step = Math.max(1, Math.floor(count / REQUESTS));
  const inputs = Array.from({ length: Math.min(REQUESTS, count) }, (_, i) => ({ token, ...request(i * step) }));
  for (const input of inputs) {
    const { code } = await harness.check(input);
    if (code !== 0) throw new Error(`denied: ${JSON.stringify({ ...input, token: "" })}`);
  }
  // A new set, so that nothing is built yet.
  await harness.apply([AUTHENTICATION, ...objects]);
  const calls = inputs.map((input) => ({ message: encodeCheck(input), identity: identityOf(input) }));
  return {
    run(checks) {
      const before = threadCpuMicroseconds();
      for (let i = 0; i < checks; i++) {
        const call = calls[i % calls.length];
        const answer = call && harness.handle(call.message, call.identity);
        if (!(answer instanceof Uint8Array)) throw new Error("no answer at once");
      }
      return threadCpuMicroseconds() - before;
    },
  };
}

/** An AuthorizationPolicy of foo. */
export function authorizationPolicy(name: string, spec: object): object {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "foo" },
    spec,
  };
}

/** A RequestAuthentication of foo. */
export function requestAuthentication(name: string, jwtRules: readonly object[]): object {
  const metadata = { name, namespace: "foo" };
  return { apiVersion: "security.istio.io/v1", kind: "RequestAuthentication", metadata, spec: { jwtRules } };
}

const AUTHENTICATION = requestAuthentication("jwt", [{ issuer: TEST_ISSUER, jwks: publicJwks() }]);
