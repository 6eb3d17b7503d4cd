import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunningController, startController } from "@gatehouse/controller";
import type { AuthorizationPolicy, PolicyResource } from "@gatehouse/protos";
import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect, onTestFinished } from "vitest";
import { startGatehouse } from "../support/gatehouse.ts";
import { createPolicyReceiver, held } from "../support/policy-receiver.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  ask,
  enforces,
  isReady,
  MESH,
  nothing,
  publishNothing,
  startPublisher,
  startServer,
  temporaryFolder,
} from "./fixtures/policy-servers.ts";
import { attacksAt, securityTest } from "./register.ts";
import { authorizationPolicy } from "./token-forge.ts";

const attack = attacksAt("policy");

describe("policy on its way", () => {
  const mesh = held(MESH);
  const deny = held(nothing("deny"));

  securityTest(
    attack("K09", "H", {
      source: "rollback",
      title: "old policy after new: a restarted controller, a replayed resource under a new version",
      outcome: "a restarted controller's set replaces all; content must fit its version",
    }),
    async () => {
      const [directory, home] = [await temporaryFolder(), await temporaryFolder()];
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("open", "rules: [{}]"));
      const first = await startDirectoryController(directory, home);
      const server = await startServer(first.xdsAddress);
      await waitFor("the first set is enforced", () => server.setVersion() !== null);
      expect(await ask(server)).toBe(200);
      await first.stop();
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("closed", ""));
      const second = await startDirectoryController(directory, home);
      await waitFor(
        "the second set is enforced",
        () => second.setVersion() !== null && server.setVersion() === second.setVersion(),
      );
      expect(await ask(server)).toBe(403);

      const receiver = createPolicyReceiver();
      await receiver.apply({ setVersion: "1", upserts: [mesh, deny], removed: [] });
      const open: AuthorizationPolicy = { ...nothing("deny"), rules: [{ index: 0, from: [], to: [], when: [] }] };
      const replayed = { ...held(open), version: deny.version };
      const verdict = await receiver.apply({ setVersion: "2", upserts: [replayed], removed: [] });
      expect(verdict.kind).toBe("refused");
      expect((await receiver.check())?.status).toBe(403);
    },
  );

  securityTest(
    attack("K10", "C", {
      source: "damaged snapshots",
      title: "a response cut off, with a flipped bit, a wrong checksum, a name that lies",
      outcome: "refused whole; the policy before goes on",
    }),
    async () => {
      const receiver = createPolicyReceiver();
      expect((await receiver.apply({ setVersion: "1", upserts: [mesh, deny], removed: [] })).kind).toBe("applied");
      const open = held({ ...nothing("open"), rules: [{ index: 0, from: [], to: [], when: [] }] });
      const half = open.bytes.subarray(0, open.bytes.length / 2);
      const damaged = [
        { ...open, bytes: half },
        { ...open, bytes: new Uint8Array() },
        { ...open, version: deny.version },
        { ...open, version: "" },
        { ...open, name: deny.name },
        { ...open, name: "" },
        ...Array.from({ length: open.bytes.length * 8 }, (_, bit) => ({ ...open, bytes: flipped(open.bytes, bit) })),
      ];
      for (const resource of damaged) {
        const verdict = await receiver.apply({ setVersion: "2", upserts: [open, resource], removed: [deny.name] });
        expect(verdict.kind).toBe("refused");
      }
      // The same name twice, once as it is held already.
      const other = held({ ...nothing("deny"), rules: [{ index: 0, from: [], to: [], when: [] }] });
      for (const upserts of [
        [other, deny],
        [deny, other],
      ]) {
        expect((await receiver.apply({ setVersion: "2", upserts, removed: [] })).kind).toBe("refused");
      }
      const removal = await receiver.apply({ setVersion: "2", upserts: [], removed: [mesh.name] });
      expect(removal.kind).toBe("refused");
      expect(receiver.snapshot()?.setVersion).toBe("1");
      expect((await receiver.check())?.status).toBe(403);
    },
  );

  securityTest(
    attack("K11", "C", {
      source: "a failed LIST is no empty LIST",
      title: "a source that can't be read, or loses most of its objects at once",
      outcome: "nothing is pushed and nobody is ready; a mass removal is logged as error and counted",
    }),
    async () => {
      const [directory, home] = [await temporaryFolder(), await temporaryFolder()];
      await writeFile(join(directory, "a.yaml"), authorizationPolicy("a", ""));
      await writeFile(join(directory, "b.yaml"), "kind: [unfinished");
      const controller = await startDirectoryController(directory, home);
      const server = await startServer(controller.xdsAddress);
      await waitFor("the fault is known", () =>
        controller.readiness().some(({ message }) => message.includes("b.yaml")),
      );
      expect([controller.setVersion(), server.setVersion(), isReady(server)]).toEqual([null, null, false]);
      expect(await ask(server)).toBeNull();

      const gatehouse = await startGatehouse({
        policies: ["a", "b", "c", "d"].map((name) => authorizationPolicy(name, "")).join(""),
      });
      onTestFinished(() => gatehouse.stop());
      await gatehouse.apply("");
      await waitFor("the removal is logged", () => gatehouse.log().some((line) => line.includes("vanished at once")));
      expect(await gatehouse.metrics()).toMatch(/mass_removals_total 1/);
    },
  );

  securityTest(
    attack("K14", "H", {
      source: "gRPC's limit of 4 MB",
      title: "a policy set of 24 MB, then one of 10,000 objects",
      outcome: "arrives whole, is enforced",
    }),
    async () => {
      const publisher = await startPublisher(await temporaryFolder());
      const large = Array.from({ length: 24 }, (_, i) => nothing(`large-${i}`, "x".repeat(1_000_000)));
      publisher.publish(
        new Map<string, readonly PolicyResource[]>([
          ["mesh", [MESH]],
          ["large", large],
        ]),
      );
      const server = await startServer(publisher.address);
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
      publisher.publish(new Map([["large", Array.from({ length: 10_000 }, (_, i) => nothing(`p-${i}`))]]));
      await enforces(server, publisher.version());
      expect(await ask(server)).toBe(403);
    },
    30_000,
  );

  securityTest(
    attack("K15", "M", {
      level: "unit",
      source: "tampering with the cache on disk",
      title: "a last-good file that was changed, is writable for others, or of another version",
      outcome: "ignored: not ready, nothing allowed",
    }),
    async () => {
      const home = await temporaryFolder();
      const data = join(home, "data");
      const publisher = await startPublisher(home);
      publishNothing(publisher);
      const first = await startServer(publisher.address, data);
      await enforces(first, publisher.version());
      await first.stop();
      const file = join(data, "last-good");
      const bytes = await readFile(file);
      const nowhere = `unix:${join(home, "nowhere.sock")}`;

      const intact = await startServer(nowhere, data);
      expect([isReady(intact), await ask(intact)]).toEqual([true, 403]);
      await intact.stop();

      const text = bytes.toString("latin1");
      const changes: readonly (() => Promise<unknown>)[] = [
        () => writeFile(file, flipped(bytes, bytes.length * 8 - 1)),
        () => writeFile(file, bytes.subarray(0, bytes.length - 1)),
        () => writeFile(file, text.replace("gatehouse-last-good 1", "gatehouse-last-good 9"), "latin1"),
        async () => {
          await writeFile(file, bytes);
          await chmod(file, 0o666);
        },
      ];
      for (const change of changes) {
        await change();
        const server = await startServer(nowhere, data);
        expect([isReady(server), server.setVersion(), await ask(server)]).toEqual([false, null, null]);
        await server.stop();
      }
    },
  );
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A controller of this directory; it stops after the test. @param home of its socket */
async function startDirectoryController(directory: string, home: string): Promise<RunningController> {
  const controller = await startController({
    source: { kind: "directory", path: directory },
    xdsAddress: `unix:${join(home, "controller.sock")}`,
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  onTestFinished(() => controller.stop());
  return controller;
}
