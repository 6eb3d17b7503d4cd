#!/usr/bin/env node
// Starts the gatehouse command on a Node that can run it. Written so that any Node from 18 on can read it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What everything is tested with, and free of known holes: see SECURITY.md. */
const MINIMUM = [24, 14, 1];
const source = new URL("../src/main.ts", import.meta.url);
const built = new URL("../dist/main.js", import.meta.url);

if (isRecentEnough()) await run();
else restartOnNewerNode();

function isRecentEnough() {
  const version = process.versions.node.split(".").map(Number);
  const differing = MINIMUM.findIndex((part, i) => version[i] !== part);
  return differing < 0 || version[differing] > MINIMUM[differing];
}

async function run() {
  // A clone has the source, which is never stale; an image has only what was built from it.
  const isClone = existsSync(source);
  if (isClone) {
    // What `node --conditions=source` does, without a second process.
    module.registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier, { ...context, conditions: [...context.conditions, "source"] }),
    });
  }
  const { main } = await import((isClone ? source : built).href);
  process.exit(await main(process.argv.slice(2)));
}

/** The npm package `node` (a dependency of the clone) brings a newer Node along. */
function restartOnNewerNode() {
  const newer = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(newer)) {
    process.stderr.write(
      `gatehouse: needs Node ${MINIMUM.join(".")} or newer, this is ${process.versions.node}; run "npm install" in the clone or install Node 24\n`,
    );
    process.exit(1);
  }
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`gatehouse: cannot start ${newer}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
