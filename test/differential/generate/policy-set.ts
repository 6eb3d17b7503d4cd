import type { PolicySet } from "../policy-set.ts";
import { createRandom } from "../random.ts";
import { makeAuthentication } from "./authentication.ts";
import { makeAuthorization } from "./authorization.ts";
import { makeRequest } from "./requests.ts";
import { makeRouting } from "./routing.ts";
import { makeTokens } from "./tokens.ts";

/**
 * A workload with random objects and requests. Equal arguments make equal sets, but for signatures of algorithms that are random.
 * @param name seeds it
 */
export function makePolicySet(name: string, requests: number, nowSec: number): PolicySet {
  const random = createRandom(name);
  const kind = random.chance(0.5) ? "gateway" : "sidecar";
  const { objects, rules, signers } = makeAuthentication(random);
  const authorization = makeAuthorization(random);
  const routing = kind === "gateway" ? makeRouting(random) : [];
  const { tokens, twins } = makeTokens(random, signers, nowSec);
  return {
    name,
    kind,
    objects: [...objects, ...authorization, ...routing],
    requests: Array.from({ length: requests }, () => makeRequest(random, rules, tokens)),
    twins,
  };
}
