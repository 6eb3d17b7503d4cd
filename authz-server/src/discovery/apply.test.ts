import { DEFAULT_MESH_CONFIG, resourceName } from "@gatehouse/protos";
import { encodeResource, resourceVersion } from "@gatehouse/protos/wire";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PolicyState } from "../state.ts";
import { PolicyApplier } from "./apply.ts";
import type { HeldResource } from "./policy-snapshot.ts";
import { policy } from "./testdata/fake-controller.ts";

let applier: PolicyApplier;
let turns: number;
let ticking: NodeJS.Immediate;

beforeEach(() => {
  applier = new PolicyApplier({
    state: new PolicyState(),
    metrics: { streamConnected() {}, nack() {}, policyApplied() {}, lastGood() {} },
    log: pino({ level: "silent" }),
    nowMs: Date.now,
    onApplied() {},
  });
  turns = 0;
  const tick = (): void => {
    turns += 1;
    ticking = setImmediate(tick);
  };
  tick();
});

afterEach(() => clearImmediate(ticking));

/** A policy of that many bytes, all of them in its name for people. */
function large(name: string, bytes: number): HeldResource {
  const resource = { ...policy(name), provider: "x".repeat(bytes) };
  const encoded = encodeResource(resource);
  return { name: resourceName(resource), version: resourceVersion(encoded), bytes: encoded };
}

test("leaves turns of the event loop to checks while it reads a change of many megabytes", async () => {
  const upserts = Array.from({ length: 20 }, (_, i) => large(`p${i}`, 512 * 1024));
  const before = turns;
  expect(await applier.apply({ setVersion: "1", upserts, removed: [] })).toEqual({ kind: "applied" });
  expect(turns - before).toBeGreaterThanOrEqual(18);
});

test("keeps no message in memory for the sake of a small resource in it", async () => {
  const encoded = encodeResource(DEFAULT_MESH_CONFIG);
  const message = Buffer.concat([Buffer.alloc(1_000_000), encoded]);
  const bytes = message.subarray(1_000_000);
  const upserts = [{ name: resourceName(DEFAULT_MESH_CONFIG), version: resourceVersion(encoded), bytes }];
  await applier.apply({ setVersion: "1", upserts, removed: [] });
  expect(applier.snapshot().resources.map((held) => held.bytes.buffer.byteLength)).toEqual([encoded.length]);
});
