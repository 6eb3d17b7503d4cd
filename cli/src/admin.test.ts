import { request } from "node:http";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { Counter, Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Readiness, type RunningAdmin, startAdmin } from "./admin.ts";

let admin: RunningAdmin;
let readiness: Readiness;

beforeEach(async () => {
  const registry = new Registry();
  new Counter({ name: "requests_total", help: "Requests.", registers: [registry] }).inc(3);
  const log = pino({ level: "silent" });
  readiness = { checks: [], version: null };
  admin = await startAdmin({ host: "127.0.0.1", port: 0, registry, log, readiness: () => readiness });
});

afterEach(() => admin.stop());

/** `fetch` would tidy the path. */
function ask(path: string, method = "GET"): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(admin.url);
    const call = request({ hostname, port, path, method }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((body) => resolve({ status, type: headers["content-type"] ?? "", body }), reject);
    });
    call.on("error", reject);
    call.end();
  });
}

test("/healthz is 200 whatever the readiness", async () => {
  readiness = { checks: [{ name: "policy", ok: false, message: "none" }], version: null };
  expect(await ask("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
});

test("/readyz is 200 only when every check holds", async () => {
  const good = { name: "policy", ok: true, message: "enforced" };
  readiness = { checks: [good], version: "ab" };
  expect(await ask("/readyz")).toMatchObject({ status: 200, body: "ok\n" });
  readiness = {
    checks: [good, { name: "directory", ok: false, message: "a.yaml:3: no\nb.yaml:1: no" }],
    version: "ab",
  };
  expect(await ask("/readyz")).toMatchObject({ status: 503, body: "not ready\n" });
  expect((await ask("/readyz?verbose")).body).toBe(
    "[+] policy: enforced\n[-] directory: a.yaml:3: no\n      b.yaml:1: no\nversion: ab\nnot ready\n",
  );
});

test("/metrics shows the registry as text", async () => {
  const { status, type, body } = await ask("/metrics");
  expect({ status, type: type.split(";")[0] }).toEqual({ status: 200, type: "text/plain" });
  expect(body).toContain("requests_total 3");
});

test("HEAD answers without a body", async () => {
  expect(await ask("/healthz", "HEAD")).toMatchObject({ status: 200, body: "" });
});

test.each(["/", "/metrics/", "/metrics/../debug", "//metrics", "/%6detrics", "/debug", "http://x/metrics"])(
  "%s is not found: paths are exact",
  async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, type: "text/plain; charset=utf-8" });
  },
);

test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is not allowed", async (method) => {
  expect((await ask("/metrics", method)).status).toBe(405);
});

test("says in one line that the port is in use", async () => {
  const port = Number(new URL(admin.url).port);
  const again = startAdmin({
    host: "127.0.0.1",
    port,
    registry: new Registry(),
    log: pino({ level: "silent" }),
    readiness: () => readiness,
  });
  await expect(again).rejects.toThrow(/^cannot listen on 127\.0\.0\.1:\d+ \(admin\): the address is already in use/);
});
