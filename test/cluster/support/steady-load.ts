import { Agent, request } from "node:http";

/** Requests of a load, sent in turn, whose right answer is known. */
export interface LoadRequest {
  /** Default /headers. */
  readonly path?: string;
  readonly token?: string;
  /** The status that policy demands. */
  readonly status: number;
}

/** What came of a load. */
export interface LoadCount {
  readonly sent: number;
  /** Another decision than policy demands: the worst that can happen. */
  readonly wrong: number;
  /** 5xx, or no answer. */
  readonly failed: number;
  /** The first few that went wrong or failed: when, what, and what came. */
  readonly examples: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A load that runs until it is stopped. */
export interface SteadyLoad {
  /** Resolves with the counts when the last request is answered. */
  stop(): Promise<LoadCount>;
}

/**
 * Sends requests at a steady rate over lasting connections to one Envoy, whether earlier ones are answered or not.
 * @param target address and port of the Envoy
 */
export function startSteadyLoad(
  target: { readonly address: string; readonly port?: number; readonly ratePerSec?: number },
  requests: readonly LoadRequest[],
): SteadyLoad {
  const { address, port = 80, ratePerSec = 100 } = target;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const examples: string[] = [];
  const latenciesMs: number[] = [];
  const underWay = new Set<Promise<void>>();
  const startedMs = performance.now();
  let [sent, wrong, failed] = [0, 0, 0];
  const one = async (load: LoadRequest): Promise<void> => {
    const sentMs = performance.now();
    const outcome = await send({ agent, host: address, port }, load);
    latenciesMs.push(performance.now() - sentMs);
    if (outcome === load.status) return;
    if (typeof outcome === "string" || outcome >= 500) failed += 1;
    else wrong += 1;
    const second = ((sentMs - startedMs) / 1000).toFixed(1);
    if (examples.length < 10) examples.push(`at ${second} s: ${outcome} instead of ${load.status}`);
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * ratePerSec;
    while (sent < due) {
      const load = requests[sent % requests.length];
      sent += 1;
      if (load === undefined) return;
      const answered = one(load).finally(() => underWay.delete(answered));
      underWay.add(answered);
    }
  }, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      latenciesMs.sort((a, b) => a - b);
      const at = (quantile: number): number => latenciesMs[Math.floor(quantile * (latenciesMs.length - 1))] ?? 0;
      return { sent, wrong, failed, examples, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    },
  };
}

/** @returns the status, or why there is none */
function send(
  target: { readonly agent: Agent; readonly host: string; readonly port: number },
  { path = "/headers", token }: LoadRequest,
): Promise<number | string> {
  const headers = {
    host: "httpbin.example.com",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve) => {
    const outgoing = request({ ...target, path, headers, signal: AbortSignal.timeout(15_000) }, (response) => {
      response.on("error", (error) => resolve(error.message));
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    outgoing.on("error", (error) => resolve(error.message));
    outgoing.end();
  });
}
