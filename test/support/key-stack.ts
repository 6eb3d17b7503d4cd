import { type CheckClient, connectCheckClient } from "./check-client.ts";
import type { FakeClock } from "./fake-clock.ts";
import { type GatehouseOptions, type RunningGatehouse, startGatehouse } from "./gatehouse.ts";
import { mintTestToken, TEST_ISSUER } from "./jwt.ts";
import { type KeyIssuer, type KeyIssuerOptions, startKeyIssuer } from "./key-issuer.ts";
import { waitFor } from "./wait-for.ts";

/** A Gatehouse, and a client of it. */
export interface AskedGatehouse {
  readonly gatehouse: RunningGatehouse;
  readonly client: CheckClient;
}

/** Issuers and those who trust them, as one thing that is stopped. */
export interface KeyStack {
  issuer(options?: KeyIssuerOptions): Promise<KeyIssuer>;
  gatehouse(options: GatehouseOptions): Promise<AskedGatehouse>;
  /** Takes something else to stop. */
  add(part: { stop(): unknown }): void;
  /** Stops all that runs, the last first. */
  stop(): Promise<void>;
}

/** Makes one in which nothing runs yet. */
export function createKeyStack(): KeyStack {
  const running: { stop(): unknown }[] = [];
  const added = <Part extends { stop(): unknown }>(part: Part): Part => {
    running.unshift(part);
    return part;
  };
  return {
    issuer: async (options) => added(await startKeyIssuer(options)),
    async gatehouse(options) {
      const gatehouse = added(await startGatehouse(options));
      return { gatehouse, client: added(connectCheckClient(gatehouse.checkPort)) };
    },
    add: (part) => void added(part),
    async stop() {
      for (const part of running.splice(0)) await part.stop();
    },
  };
}

/** A RequestAuthentication of foo/app=httpbin that takes tokens of these issuers, with keys from these URIs. */
export function trust(jwksUri: string, issuer = TEST_ISSUER): string {
  return trustAll([{ issuer, jwksUri }]);
}

/** The same with several issuers. An empty URI is left out. */
export function trustAll(rules: readonly TrustedIssuer[]): string {
  const lines = rules.map(({ issuer, jwksUri, timeout = "5s" }) => {
    const uri = jwksUri === "" ? "" : `jwksUri: "${jwksUri}", `;
    return `- { issuer: "${issuer}", ${uri}timeout: ${timeout} }`;
  });
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
  ${lines.join("\n  ")}
`;
}

/** Whose tokens are taken. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  /** For one fetch; default: 5s. */
  readonly timeout?: string;
}

/** Makes a token unlike all others, so that no cache answers for the keys. @param issuer default: the test issuer */
export function signedBy(key: "rsa-2048" | "ec-p256", issuer = TEST_ISSUER): Promise<string> {
  serial += 1;
  return mintTestToken({ iss: issuer, jti: String(serial) }, { key, alg: key === "rsa-2048" ? "RS256" : "ES256" });
}

let serial = 0;

/**
 * Lets time pass in steps. After each, what the step has set off is over: no fetch is under way.
 * @param hanging URIs of fetches that never end
 */
export async function passTime(
  { clock, gatehouse, hanging = [] }: PassingTime,
  { ms, stepMs }: { readonly ms: number; readonly stepMs: number },
): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
    await clock.advance(Math.min(leftMs, stepMs));
    await waitFor("no fetch of keys is under way", () =>
      gatehouse.keySources().every(({ uri, nextRefreshMs }) => hanging.includes(uri) || nextRefreshMs > clock.wallMs()),
    );
  }
}

/** Whose time passes. */
export interface PassingTime {
  readonly clock: FakeClock;
  readonly gatehouse: RunningGatehouse;
  readonly hanging?: readonly string[];
}

/** The value of a metric that has one sample with these words in its labels. @throws Error when there is no such sample, or several */
export async function sampleOf(gatehouse: RunningGatehouse, name: string, label = ""): Promise<number> {
  const lines = (await gatehouse.metrics()).split("\n");
  const found = lines.filter((line) => /^[^{ ]*/.exec(line)?.[0] === `gatehouse_${name}` && line.includes(label));
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} with "${label}"`);
  return Number(found[0]?.split(" ").at(-1));
}
