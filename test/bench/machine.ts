import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { findEnvoy } from "../support/envoy.ts";

/** What the figures were taken on, in one line. */
export async function describeMachine(): Promise<string> {
  const version = execFileSync(await findEnvoy(), ["--version"], { encoding: "utf8" });
  const envoy = /\/(\d+\.\d+\.\d+)\//.exec(version)?.[1] ?? "of unknown version";
  const memory = Math.round(totalmem() / 2 ** 30);
  const cores = cpus(); // all of the machine, not only the one that this process is bound to
  const model = cores[0]?.model.trim() ?? "unknown CPU";
  return `${cores.length} cores (${model}), ${memory} GiB, Linux ${release().split("-")[0]}; Node ${process.version}, Envoy ${envoy}`;
}
