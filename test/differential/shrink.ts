import { runBatch } from "./batch.ts";
import type { Difference, PolicySet, TestRequest } from "./policy-set.ts";

/**
 * Takes away from policies and request whatever the difference does not need: greedily, all smaller candidates at once, until none
 * of them differs any more.
 */
export async function shrink(difference: Difference): Promise<Difference> {
  let smallest = difference;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const candidates = smallerThan(smallest);
    const results = await tryAll(candidates, smallest);
    const best = results.sort((a, b) => sizeOf(a) - sizeOf(b))[0];
    if (best === undefined) return smallest;
    smallest = best;
  }
  return smallest;
}

const MAX_ROUNDS = 150;

/** Candidates that still differ. One that Envoy refuses would end them all, so they are tried apart then. */
async function tryAll(candidates: readonly PolicySet[], from: Difference): Promise<Difference[]> {
  if (candidates.length === 0) return [];
  try {
    return (await runBatch(candidates, from.mesh)).flat();
  } catch {
    if (candidates.length === 1) return [];
    const middle = Math.ceil(candidates.length / 2);
    return [...(await tryAll(candidates.slice(0, middle), from)), ...(await tryAll(candidates.slice(middle), from))];
  }
}

function smallerThan({ set, request }: Difference): readonly PolicySet[] {
  const withObjects = (objects: PolicySet["objects"]): PolicySet => ({ ...set, objects, requests: [request] });
  const withoutObject = set.objects.map((object) => withObjects(set.objects.filter((other) => other !== object)));
  const withSmallerSpec = set.objects.flatMap((object) =>
    smallerValues(object.spec).map((spec) =>
      withObjects(set.objects.map((other) => (other === object ? { ...object, spec: { ...toRecord(spec) } } : other))),
    ),
  );
  const withSmallerRequest = smallerRequests(request).map((smaller) => ({ ...set, requests: [smaller] }));
  return [...withoutObject, ...withSmallerSpec, ...withSmallerRequest];
}

function smallerRequests(request: TestRequest): readonly TestRequest[] {
  const withoutHeader = request.headers.map((line) => ({
    ...request,
    headers: request.headers.filter((other) => other !== line),
  }));
  const [path = "", query] = request.path.split("?", 2);
  const pairs = query?.split("&") ?? [];
  const withoutPair = pairs.map((pair) => {
    const left = pairs.filter((other) => other !== pair).join("&");
    return { ...request, path: left === "" ? path : `${path}?${left}` };
  });
  const simpler: readonly Partial<TestRequest>[] = [
    { method: "GET" },
    { authority: "example.com" },
    { sourceIp: "127.0.0.1" },
    { port: 8080 },
    { path: query === undefined ? "/" : `/?${query}` },
  ];
  const simplified = simpler.map((part) => ({ ...request, ...part }));
  return [...withoutHeader, ...withoutPair, ...simplified].filter(
    (smaller) => JSON.stringify(smaller) !== JSON.stringify(request),
  );
}

/** The value with one member or element less, at any depth. */
function smallerValues(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) {
    const shorter = value.length > 1 ? value.map((_, index) => value.filter((__, other) => other !== index)) : [];
    const inside = value.flatMap((item: unknown, index) =>
      smallerValues(item).map((smaller) => value.map((other: unknown, at) => (at === index ? smaller : other))),
    );
    return [...shorter, ...inside];
  }
  if (typeof value !== "object" || value === null) return [];
  const members = Object.entries(value).filter(([name]) => !KEPT.has(name));
  const fewer = members.map(([name]) => Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)));
  const inside = members.flatMap(([name, member]: [string, unknown]) =>
    smallerValues(member).map((smaller) => ({ ...value, [name]: smaller })),
  );
  return [...fewer, ...inside];
}

/** Without these an object is invalid, or applies elsewhere. */
const KEPT: ReadonlySet<string> = new Set([
  ...["selector", "action", "issuer", "jwks", "key", "servers", "hosts", "gateways", "http", "destination", "redirect"],
  ...["directResponse", "jwtRules", "source", "operation", "claim", "header", "name", "status", "body", "allowOrigins"],
]);

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** Tokens are cut to their length, so that another token is not a smaller difference. */
function sizeOf({ set, request }: Difference): number {
  return JSON.stringify(set.objects).length + JSON.stringify(request).length;
}
