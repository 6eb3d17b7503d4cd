import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicJwks } from "../../../test/support/jwt.ts";
import { waitFor } from "../../../test/support/wait-for.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { KeySource } from "../translate/report.ts";
import { DEFAULT_KEY_OPTIONS } from "./key-options.ts";
import { openRemoteKeys, type RemoteKeys } from "./remote-keys.ts";

let server: Server;
let keys: RemoteKeys;
let hanging: number;
let port: number;

beforeEach(async () => {
  hanging = 0;
  server = createServer((request, response) => {
    if (request.url === "/keys") response.end(publicJwks("ed25519"));
    else hanging += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = address === null || typeof address === "string" ? 0 : address.port;
  keys = await openRemoteKeys(
    { ...DEFAULT_KEY_OPTIONS, allowLoopback: true },
    { metrics: createMetrics(new Registry()), log: pino({ level: "silent" }), onChange: () => undefined },
  );
});

afterEach(async () => {
  await keys.stop();
  server.closeAllConnections();
  server.close();
});

function source(keySet: string, path: string): KeySource {
  return { keySet, issuer: "https://idp.example.com", uri: `http://127.0.0.1:${port}${path}`, timeoutMs: 60_000 };
}

describe("keys", () => {
  it("are fetched at once for a namespace that shares their source with one whose other servers hang", async () => {
    const { refresher } = keys;
    const isReady = () => refresher.health().some(({ state }) => state === "ready");
    for (let i = 0; i < 64; i++) refresher.setSources(`RequestAuthentication/a/${i}`, [source(`dead-${i}`, `/${i}`)]);
    refresher.setSources("RequestAuthentication/a/last", [source("shared", "/keys")]);
    await waitFor("all servers hang", () => hanging === 64);
    expect(isReady()).toBe(false);
    refresher.setSources("RequestAuthentication/b/first", [source("shared", "/keys")]);
    await waitFor("the keys are there", isReady);
  });
});
