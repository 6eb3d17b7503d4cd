import type { PreparedJwtRule } from "../authn/prepared-jwt-rule.ts";
import type { HeaderLine } from "../http-request.ts";

/** The headers by which fields of a VirtualService are told to Envoy. */
const ROUTING_HEADERS: readonly string[] = [
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-max-retries",
  "x-envoy-retry-on",
  "x-envoy-retry-grpc-on",
  "x-envoy-retriable-status-codes",
  "x-envoy-retriable-header-names",
  "x-envoy-fault-abort-request",
  "x-envoy-fault-abort-request-percentage",
  "x-envoy-fault-delay-request",
  "x-envoy-fault-delay-request-percentage",
];

const OURS = "x-gatehouse-";

/** Request headers whose value a client must not choose: some upstream or route believes them. */
export class ReservedHeaders {
  readonly #names: ReadonlySet<string>;
  /** First characters of the names: most headers have another one. */
  readonly #initials: ReadonlySet<number>;

  constructor(jwtRules: readonly PreparedJwtRule[]) {
    const outputs = jwtRules.flatMap(({ outputNames }) => [...outputNames]);
    this.#names = new Set([...ROUTING_HEADERS, ...outputs.filter((name) => name !== "").map(canonical)]);
    this.#initials = new Set(Array.from(this.#names, (name) => name.charCodeAt(0)));
  }

  /** The names among these lines that are to be removed, as they were sent: `x_jwt_sub` reads like `x-jwt-sub` to many an upstream. */
  sentIn(headers: readonly HeaderLine[]): readonly string[] {
    const names: string[] = [];
    for (const { name } of headers) if (this.#has(name) && !names.includes(name)) names.push(name);
    return names;
  }

  #has(name: string): boolean {
    const initial = name.charCodeAt(0);
    return (this.#initials.has(initial) || initial === UNDERSCORE) && this.#names.has(canonical(name));
  }
}

/** Whether a client sent one of our own headers: Envoy's configuration should have removed it before it chose a route. */
export function isOwnHeaderSent(headers: readonly HeaderLine[]): boolean {
  return headers.some(({ name }) => isOwnHeader(name));
}

/** Whether this is the name of a header by which we talk to Envoy. @param name in lower case */
export function isOwnHeader(name: string): boolean {
  return name.startsWith("x") && canonical(name).startsWith(OURS);
}

const UNDERSCORE = "_".charCodeAt(0);

function canonical(name: string): string {
  return name.includes("_") ? name.replaceAll("_", "-") : name;
}
