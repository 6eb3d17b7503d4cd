/**
 * Adds what `npm install` leaves out of package-lock.json when a registry mirror carries only some platforms: the optional
 * binaries of all other platforms. Without these entries `npm ci` refuses the file, on every platform.
 * Run by `make lock` after a dependency changed. Versions come from the package that asks for them, which names them exactly.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { completeLockfile, type Lockfile } from "./lockfile.ts";

const path = fileURLToPath(new URL("../../package-lock.json", import.meta.url));
const lockfile: Lockfile = JSON.parse(readFileSync(path, "utf8"));
const { packages, added } = completeLockfile(lockfile.packages);
writeFileSync(path, `${JSON.stringify({ ...lockfile, packages }, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${added.length} platform packages added\n`);
