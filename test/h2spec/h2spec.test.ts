import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCheckServer, startTlsCheckServer, type TestCheckServer } from "../support/check-server.ts";
import { CHECK } from "../support/raw-http2.ts";

/**
 * Cases of h2spec that our transport fails on purpose, each with the reason. There is none: what is no gRPC gets an answer in plain
 * HTTP with a body, so that even the cases about flow control have something to wait for.
 */
const DELIBERATE: Readonly<Record<string, string>> = {};

let h2spec: string;
let plain: TestCheckServer;
let overTls: Pick<TestCheckServer, "port" | "stop">;

beforeAll(async () => {
  const script = fileURLToPath(new URL("install-h2spec.sh", import.meta.url));
  h2spec = execFileSync(script, { encoding: "utf8" }).trim();
  plain = await startTestCheckServer((message) => message, { transport: "lean" });
  overTls = await startTlsCheckServer((message) => message, { transport: "lean" });
}, 180_000);

afterAll(async () => {
  await plain.stop();
  await overTls.stop();
});

test("every case of generic, http2 and hpack passes over TCP, strict ones included", async () => {
  expectConforming(await run(plain.port, []));
}, 120_000);

test("every case passes over TLS with ALPN h2", async () => {
  expectConforming(await run(overTls.port, ["--tls", "--insecure"]));
}, 120_000);

function run(port: number, options: readonly string[]): Promise<string> {
  const args = ["--strict", "--port", String(port), "--path", CHECK, "--timeout", "2", ...options];
  // It ends with 1 when a case fails; which, stands in what it prints.
  return new Promise((resolve) => {
    execFile(h2spec, args, { maxBuffer: 10_000_000 }, (_error, stdout) => resolve(stdout));
  });
}

function expectConforming(output: string): void {
  const failures = output.split("Failures:")[1] ?? "";
  const failed = [...failures.matchAll(/^ +× (?:\d+: )?(.*)$/gm)].map(([, title = ""]) => title);
  expect(failed.filter((title) => DELIBERATE[title] === undefined)).toEqual([]);
  const [, total = "0", passed = "0", skipped = "?"] = /(\d+) tests, (\d+) passed, (\d+) skipped/.exec(output) ?? [];
  expect({ passed: Number(passed), skipped }).toEqual({ passed: Number(total) - failed.length, skipped: "0" });
  expect(Number(total)).toBeGreaterThan(140);
}
