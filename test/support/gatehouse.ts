import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuthzServerConfig,
  type RunningAuthzServer,
  startAuthzServer,
  type Transport,
} from "@gatehouse/authz-server";
import { type KeyOptions, type KeySourceHealth, type MeshSettings, startController } from "@gatehouse/controller";
import { type Logger, pino } from "pino";
import { Registry } from "prom-client";
import { testTransport } from "./test-transport.ts";
import { waitFor } from "./wait-for.ts";
import { testWorkers } from "./workers.ts";

/** Options of a Gatehouse under test. */
export interface GatehouseOptions {
  /** Kubernetes YAML (several documents) that is served first; omitted: no policy. */
  readonly policies?: string;
  /** MeshConfig YAML. */
  readonly meshConfig?: string;
  /** Settings that Istio's MeshConfig has no field for. */
  readonly settings?: MeshSettings;
  /** What carries checks; omitted: what the variable TEST_TRANSPORT says, or the default. */
  readonly transport?: Transport;
  /** Processes that answer checks; omitted: as many as the variable TEST_WORKERS says, or this one. */
  readonly workers?: number;
  /** How a stop goes; omitted: at once. */
  readonly drain?: AuthzServerConfig["drain"];
  /** How keys are fetched; omitted: from this machine only, nothing on disk. */
  readonly keys?: Partial<KeyOptions>;
  /** Where the authz-server keeps its last-good file (omitted: nowhere), and its steady clock. */
  readonly server?: Pick<Partial<AuthzServerConfig>, "dataDirectory" | "steadyMs">;
}

/** controller + authz-server in this process, joined by a real delta-xDS stream, over a directory of their own. */
export interface RunningGatehouse {
  /** Port of ext_authz on 127.0.0.1. */
  readonly checkPort: number;
  /** The policy directory. */
  readonly directory: string;
  /** Where further authz-servers connect. */
  readonly xdsAddress: string;
  /** Version that is being enforced. */
  version(): string;
  /**
   * Replaces all policies and resolves when the new set is enforced (waits on the version, never on time).
   * An object that is invalid keeps its last good version, as in production; `apply("")` between two sets forgets it.
   */
  apply(policies: string): Promise<void>;
  /** How each source of fetched keys stands. */
  keySources(): readonly KeySourceHealth[];
  /** What Prometheus would read. */
  metrics(): Promise<string>;
  /** The lines logged so far, as JSON texts. */
  log(): readonly string[];
  stop(): Promise<void>;
}

/** Starts standalone Gatehouse on ports chosen by the system; resolves when the first policies are enforced. */
export async function startGatehouse(options: GatehouseOptions = {}): Promise<RunningGatehouse> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-"));
  const directory = await mkdtemp(join(home, "policies-"));
  const meshConfigFile = options.meshConfig === undefined ? null : join(home, "mesh-config.yaml");
  if (meshConfigFile !== null) await writeFile(meshConfigFile, options.meshConfig ?? "");
  const policyFile = join(directory, "policies.yaml");
  const incomingFile = join(home, "incoming.yaml");
  let applied = 0;
  const write = async (policies: string): Promise<void> => {
    applied += 1;
    // Written beside and renamed, so that the change is one change; the marker makes each set differ from the one before.
    await writeFile(incomingFile, `${policies}\n---\n${marker(applied)}`);
    await rename(incomingFile, policyFile);
  };
  await write(options.policies ?? "");

  const registry = new Registry();
  const { log, lines } = rememberingLog();
  const xdsAddress = `unix:${join(home, "xds.sock")}`;
  const running: { stop(): Promise<void> }[] = [];
  const started = async <Part extends { stop(): Promise<void> }>(starting: Promise<Part>): Promise<Part> => {
    const part = await starting;
    running.unshift(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const part of running.splice(0)) await part.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const source = { kind: "directory", path: directory } as const;
    const keys = { allowLoopback: true, allowedHosts: ["127.0.0.1", "localhost"], ...options.keys };
    const controller = await started(
      startController({ source, xdsAddress, meshConfigFile, settings: options.settings ?? {}, keys, log, registry }),
    );
    const server = await started(
      startAuthzServer({
        controller: xdsAddress,
        listeners: [{ address: "127.0.0.1:0", identity: null }],
        transport: options.transport ?? testTransport(),
        workers: testWorkers(options.workers ?? Number(process.env["TEST_WORKERS"] ?? 1)),
        drain: options.drain ?? { waitMs: 0, deadlineMs: 1_000 },
        ...options.server,
        log,
        registry,
      }),
    );
    const versionAfter = (before: string | null) =>
      waitFor("the policies are enforced", () => {
        const version = server.setVersion();
        return version !== null && version !== before && version === controller.setVersion();
      });
    await versionAfter(null);
    return {
      checkPort: portOf(server),
      directory,
      xdsAddress,
      version: () => server.setVersion() ?? "",
      apply: async (policies) => {
        const before = server.setVersion();
        await write(policies);
        await versionAfter(before);
      },
      keySources: () => controller.keySources(),
      metrics: () => server.metrics(),
      log: () => lines,
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`Gatehouse does not start; its log:\n${lines.join("")}`, { cause: error });
  }
}

/** An object that selects nothing which exists, different each time. */
function marker(count: number): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: marker, namespace: marker }
spec: { selector: { matchLabels: { marker: "${count}" } } }
`;
}

function portOf(server: RunningAuthzServer): number {
  const port = Number(server.checkAddresses[0]?.split(":").at(-1));
  if (!(port > 0)) throw new Error(`no port in ${server.checkAddresses.join(", ")}`);
  return port;
}

function rememberingLog(): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { log: pino({ base: null }, { write: (line: string) => void lines.push(line) }), lines };
}
