import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "./wait-for.ts";

/** A bootstrap configuration as a plain object (see envoy-config.ts). Listener and admin ports may be 0. */
export type EnvoyBootstrap = Readonly<Record<string, unknown>>;

/** A running Envoy process. */
export interface EnvoyProcess {
  readonly pid: number;
  readonly adminPort: number;
  /** The bound port of a listener. @param name `name` of the listener in the bootstrap; throws when there is none */
  listenerPort(name: string): number;
  /** Counters and gauges by name. @param filter regular expression that is found in the name */
  stats(filter?: string): Promise<ReadonlyMap<string, number>>;
  /** What Envoy wrote to its log so far. */
  log(): string;
  /** Resolves with the exit code (null: ended by a signal) when the process is gone, for whatever reason. */
  readonly exited: Promise<number | null>;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/** How Envoy is started. */
export interface EnvoyOptions {
  /** Ctrl-C at the terminal then reaches only the caller, which stops Envoy in its turn. Default false. */
  readonly ownProcessGroup?: boolean;
}

/** Starts a real Envoy and resolves when it is LIVE and its listeners are bound. Rejects with Envoy's own words when it refuses. */
export async function startEnvoy(bootstrap: EnvoyBootstrap, options: EnvoyOptions = {}): Promise<EnvoyProcess> {
  const binary = await findEnvoy();
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-envoy-"));
  const configFile = join(directory, "envoy.json");
  const adminFile = join(directory, "admin-address");
  await writeFile(configFile, JSON.stringify(bootstrap));
  // Hot restart would make every Envoy of this machine share memory; one worker is enough for tests and for a demo.
  const args = ["-c", configFile, "--admin-address-path", adminFile, "--disable-hot-restart", "--concurrency", "1"];
  const child = spawn(binary, [...args, "--log-level", "warn"], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: options.ownProcessGroup === true,
  });
  const running = supervise(child);
  try {
    const adminPort = await waitFor("Envoy is live", () => {
      if (child.exitCode !== null) throw new Error(`Envoy ended with code ${child.exitCode}:\n${running.log()}`);
      return liveAdminPort(adminFile);
    });
    const ports = await boundPorts(adminPort);
    return {
      pid: child.pid ?? 0,
      adminPort,
      listenerPort: (name) => {
        const port = ports.get(name);
        if (port === undefined) throw new Error(`Envoy has no listener ${name}, only ${[...ports.keys()].join(", ")}`);
        return port;
      },
      stats: (filter = "") => readStats(adminPort, filter),
      log: running.log,
      exited: running.exited,
      stop: running.stop,
    };
  } catch (error) {
    await running.stop();
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `envoy --mode validate`. @param file a bootstrap, YAML or JSON */
export async function validateEnvoyConfig(file: string): Promise<{ readonly ok: boolean; readonly output: string }> {
  const binary = await findEnvoy();
  return new Promise((resolve) => {
    execFile(binary, ["--mode", "validate", "-c", file], (error, stdout, stderr) => {
      resolve({ ok: error === null, output: stdout + stderr });
    });
  });
}

/** Path of an Envoy binary that is new enough; installs one into .envoy/ when the machine has none (see install-envoy.sh). */
export function findEnvoy(): Promise<string> {
  found ??= new Promise((resolve, reject) => {
    execFile(fileURLToPath(new URL("install-envoy.sh", import.meta.url)), (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(stderr.trim(), { cause: error }));
    });
  });
  return found;
}

let found: Promise<string> | undefined;

function supervise(child: ChildProcess): Pick<EnvoyProcess, "log" | "exited" | "stop"> {
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString("utf8");
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
    child.once("error", (error) => {
      log += `${error.message}\n`;
      resolve(null);
    });
  });
  // A test runner that ends in a hurry must not leave its Envoy behind.
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  void exited.then(() => process.off("exit", killNow)); // cannot reject
  return {
    log: () => log,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      const hardDeadline = setTimeout(killNow, 5_000);
      await exited;
      clearTimeout(hardDeadline);
    },
  };
}

/** The admin port once Envoy answers LIVE on it, undefined before. */
async function liveAdminPort(adminFile: string): Promise<number | undefined> {
  try {
    const port = Number((await readFile(adminFile, "utf8")).split(":").at(-1));
    return (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200 ? port : undefined;
  } catch {
    return undefined; // not written yet, or not listening yet: the caller asks again until its deadline
  }
}

interface ListenerStatuses {
  readonly listener_statuses: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

async function boundPorts(adminPort: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/listeners?format=json`);
  const statuses: ListenerStatuses = JSON.parse(await response.text());
  return new Map(statuses.listener_statuses.map((s) => [s.name, s.local_address.socket_address.port_value]));
}

async function readStats(adminPort: number, filter: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/stats?filter=${encodeURIComponent(filter)}`);
  const lines = (await response.text()).split("\n").map((line) => line.split(": "));
  return new Map(lines.flatMap(([name, value]) => (name && /^\d+$/.test(value ?? "") ? [[name, Number(value)]] : [])));
}
