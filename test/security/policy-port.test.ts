import { connect } from "node:net";
import { join } from "node:path";
import { startController } from "@gatehouse/controller";
import { loadDiscovery } from "@gatehouse/protos/wire";
import { credentials } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect } from "vitest";
import {
  ask,
  enforces,
  publishNothing,
  startPublisher,
  startServer,
  temporaryFolder,
} from "./fixtures/policy-servers.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("unit");

describe("strangers at the policy port", () => {
  securityTest(
    attack("K01", "C", {
      source: "CVE-2026-53714",
      title: "a policy port that strangers can reach",
      outcome: "without TLS it binds to loopback or a unix socket only",
    }),
    async () => {
      const folder = await temporaryFolder();
      const open = [
        "0.0.0.0:0",
        "[::]:0",
        "192.0.2.1:9002",
        "example.com:9002",
        "10.0.0.1:0",
        "[::ffff:10.0.0.1]:0",
        "unix:relative",
      ];
      for (const xdsAddress of open) {
        const starting = startController({
          source: { kind: "directory", path: folder },
          xdsAddress,
          log: pino({ level: "silent" }),
          registry: new Registry(),
        });
        await expect(starting, xdsAddress).rejects.toMatchObject({ code: "BAD_OPTION" });
      }
    },
  );

  securityTest(
    attack("K05", "H", {
      source: "CVE-2022-24726, CVE-2022-39278",
      title: "garbage and oversized messages at the policy port",
      outcome: "the connection ends; other servers get their policy",
    }),
    async () => {
      const folder = await temporaryFolder();
      const publisher = await startPublisher(folder);
      publishNothing(publisher);
      const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      for (const bytes of [
        Buffer.alloc(100_000, 0xff),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from(`${preface}${"\u0000".repeat(9000)}`),
      ]) {
        await garbage(join(folder, "xds.sock"), bytes);
      }
      const client = new (loadDiscovery())(publisher.address, credentials.createInsecure());
      const { path } = loadDiscovery().service.DeltaAggregatedResources;
      const code = await new Promise((resolve) => {
        const call = client.makeBidiStreamRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes) => bytes,
        );
        call.on("error", (error: { readonly code?: number }) => resolve(error.code));
        call.on("data", () => undefined);
        call.write(Buffer.alloc(3_000_000, 0xff)); // no message at all
      });
      client.close();
      expect(code).toBeGreaterThan(0);
      const server = await startServer(publisher.address);
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
    },
  );
});

function garbage(path: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(bytes));
    socket.on("error", () => undefined); // the server may cut it first
    socket.on("close", () => resolve());
    socket.resume();
  });
}
