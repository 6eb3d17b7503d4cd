import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startJwksServer } from "../support/jwks-server.ts";
import { waitFor } from "../support/wait-for.ts";
import type { LongestTurn } from "./turn-meter.ts";

/** How much is measured. */
export interface LargeKeySetOptions {
  readonly issuers: number;
  readonly keysPerIssuer: number;
}

/** One situation, and the longest turn of the event loop in it. */
export interface Situation {
  readonly name: string;
  readonly turn: LongestTurn;
}

/**
 * Large key sets of many issuers on their way through controller and authz-server, each a process of its own: nobody who asks meanwhile
 * may wait for long.
 */
export async function measureLargeKeySets(options: LargeKeySetOptions): Promise<readonly Situation[]> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-key-sets-"));
  const issuer = await startJwksServer(jwksText(options.keysPerIssuer));
  const running: Part[] = [];
  const start = async (role: string, directory: string): Promise<Part> => {
    const part = await startPart([role, `unix:${join(home, "xds.sock")}`, join(home, directory)]);
    running.push(part);
    return part;
  };
  try {
    await mkdir(join(home, "policies"));
    await writeFile(join(home, "policies", "policies.yaml"), policies(issuer.uri, options.issuers));
    const situations: Situation[] = [];
    const controller = await start("controller", "policies");
    situations.push({ name: "controller, all sets are fetched at once", turn: await controller.done() });
    const server = await start("authz-server", "data");
    situations.push({ name: "authz-server, all sets arrive in one response", turn: await server.done() });
    situations.push({ name: "controller, all sets are sent to a new server", turn: await controller.done() });
    await waitFor("the last-good file is there", () => exists(join(home, "data", "last-good")), 60_000);
    situations.push({ name: "authz-server, all sets are written to disk", turn: await server.done() });
    controller.stop();
    server.stop();
    const restarted = await start("authz-server", "data");
    situations.push({ name: "authz-server, all sets are read from disk", turn: await restarted.done() });
    return situations;
  } finally {
    for (const part of running) part.stop();
    issuer.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

interface Part {
  /** Waits until it has what it should have. @returns its longest turn since the last call */
  done(): Promise<LongestTurn>;
  stop(): void;
}

async function startPart(args: readonly string[]): Promise<Part> {
  const file = fileURLToPath(new URL("key-set-process.ts", import.meta.url));
  const child = fork(file, args, { execArgv: ["--conditions=source"] });
  const stop = (): void => void child.kill("SIGKILL");
  process.once("exit", stop);
  const [started] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (started !== "started") throw new Error(`${args[0]} did not start`);
  return {
    async done() {
      let longest: LongestTurn = { cpuMs: 0, wallMs: 0 };
      await waitFor(
        `${args[0]} has all key sets`,
        async () => {
          child.send("state");
          const [{ isDone, turn }] = await once(child, "message");
          longest = { cpuMs: Math.max(longest.cpuMs, turn.cpuMs), wallMs: Math.max(longest.wallMs, turn.wallMs) };
          return isDone === true;
        },
        120_000,
      );
      return longest;
    },
    stop,
  };
}

/** RSA keys of 2048 bits that nobody has the other half of. */
export function jwksText(keys: number): string {
  const entries = Array.from({ length: keys }, (_, i) => {
    const modulus = randomBytes(256);
    modulus[0] = (modulus[0] ?? 0) | 0x80;
    modulus[255] = (modulus[255] ?? 0) | 1;
    return { kty: "RSA", kid: `key-${i}`, alg: "RS256", use: "sig", e: "AQAB", n: modulus.toString("base64url") };
  });
  return JSON.stringify({ keys: entries });
}

function policies(jwksUri: string, issuers: number): string {
  return Array.from(
    { length: issuers },
    (_, i) => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: issuer, namespace: tenant-${i} }
spec:
  jwtRules:
    - issuer: issuer-${i}
      jwksUri: ${jwksUri}/${i}
`,
  ).join("---");
}
