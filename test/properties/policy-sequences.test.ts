import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type PolicyResource, resourceName } from "@gatehouse/protos";
import { encodeResource, resourceVersion, setVersion } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { type PolicyPublisher, startPolicyPublisher } from "../support/policy-publisher.ts";
import { waitFor } from "../support/wait-for.ts";
import { objectsOf, runs, type Spec, spec, toObject } from "./policies.ts";

type Step =
  | { readonly kind: "upsert"; readonly name: string; readonly spec: Spec }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "disconnect" }
  | { readonly kind: "restartController" }
  | { readonly kind: "restartServer" };

const name = fc.constantFrom("a", "b", "c");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("upsert" as const), name, spec }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("disconnect" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restartController" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restartServer" as const) }) },
);

/** What is there before the first step. */
const BASE: ReadonlyMap<string, readonly PolicyResource[]> = new Map([
  ["mesh", [parseMeshConfig("").meshConfig]],
  ["authentication", translatePolicies(objectsOf([])).flatMap(({ resources }) => resources)],
]);

test("P9 after any changes, lost streams and restarts a server holds what a fresh list would give it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const home = await mkdtemp(join(tmpdir(), "gatehouse-steps-"));
      const world = await startWorld(home);
      try {
        for (const one of steps) {
          await world.take(one);
          // The version is a sum over names and contents, so equal versions are equal sets.
          await waitFor("the server follows", () => world.server().setVersion() === world.expectedVersion());
        }
        expect(world.server().setVersion()).toBe(world.expectedVersion());
      } finally {
        await world.stop();
        await rm(home, { recursive: true, force: true });
      }
    }),
    runs(20),
  );
}, 600_000);

async function startWorld(home: string): Promise<{
  take(step: Step): Promise<void>;
  server(): RunningAuthzServer;
  expectedVersion(): string;
  stop(): Promise<void>;
}> {
  const objects = new Map(BASE);
  let publisher = await publisherOf(home, objects);
  const link = await startLink(join(home, "link.sock"), join(home, "xds.sock"));
  let server = await serverOf(home, link.address);
  return {
    async take(step) {
      switch (step.kind) {
        case "upsert": {
          const resources = translatePolicies([toObject(step.name, step.spec)]).flatMap((one) => one.resources);
          objects.set(step.name, resources);
          publisher.publish(new Map([[step.name, resources]]));
          return;
        }
        case "delete":
          objects.delete(step.name);
          publisher.publish(new Map([[step.name, []]]));
          return;
        case "disconnect":
          // Both sides stay as they are; the next change may come before the server is back.
          link.cut();
          return;
        case "restartController":
          await publisher.stop();
          publisher = await publisherOf(home, objects);
          return;
        case "restartServer":
          await server.stop();
          server = await serverOf(home, link.address);
      }
    },
    server: () => server,
    expectedVersion: () => versionOf([...objects.values()].flat()),
    async stop() {
      await server.stop();
      await publisher.stop();
      link.stop();
    },
  };
}

interface Link {
  readonly address: string;
  /** Ends the connections that are open now. */
  cut(): void;
  stop(): void;
}

/** Lies between a server and the controller, from one Unix socket to another. */
async function startLink(path: string, target: string): Promise<Link> {
  const open = new Set<Socket>();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const listener = createServer((client) => {
    const controller = connect(target);
    for (const [from, to] of [
      [client, controller],
      [controller, client],
    ] as const) {
      open.add(from);
      from.on("error", () => undefined); // the close that follows says it
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  listener.listen(path);
  await once(listener, "listening");
  return {
    address: `unix:${path}`,
    cut,
    stop() {
      listener.close();
      cut();
    },
  };
}

async function publisherOf(
  home: string,
  objects: ReadonlyMap<string, readonly PolicyResource[]>,
): Promise<PolicyPublisher> {
  const publisher = await startPolicyPublisher(`unix:${join(home, "xds.sock")}`);
  publisher.publish(objects);
  return publisher;
}

function serverOf(home: string, controller: string): Promise<RunningAuthzServer> {
  return startAuthzServer({
    controller,
    listeners: [{ address: `unix:${join(home, "check.sock")}`, identity: null }],
    dataDirectory: join(home, "data"),
    lastGoodIntervalMs: 1,
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 5, capMs: 10 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
}

/** Worked out from scratch. */
function versionOf(resources: readonly PolicyResource[]): string {
  return setVersion(
    resources.map((resource) => ({ name: resourceName(resource), version: resourceVersion(encodeResource(resource)) })),
  );
}
