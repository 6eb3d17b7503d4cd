import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../../../test/support/wait-for.ts";
import { SYSTEM_CLOCK } from "../jwks/clock.ts";
import type { LeaseTimes } from "./candidacy.ts";
import { LeaderElector } from "./elector.ts";
import { createLeaseClient } from "./lease.ts";
import { type Misbehaviour, type ObjectServer, startObjectServer, toFields } from "./testdata/object-server.ts";

/** Shorter than the true ones. What may never happen does not depend on the machine's speed: all ages are measured. */
const TIMES: LeaseTimes = { leaseMs: 900, renewMs: 600, retryMs: 60, requestMs: 200 };
const LEASE = "/apis/coordination.k8s.io/v1/namespaces/gatehouse-system/leases/gatehouse-controller";

let server: ObjectServer;
let electors: LeaderElector[];
let logged: string[];

beforeEach(async () => {
  server = await startObjectServer();
  electors = [];
  logged = [];
});
afterEach(async () => {
  server.misbehave = () => null;
  await Promise.all(electors.map((elector) => elector.stop()));
  await server.stop();
});

async function candidate(identity: string, onChange: (isLeader: boolean) => void = () => {}): Promise<LeaderElector> {
  const elector = new LeaderElector({
    leases: createLeaseClient(await server.connect(), "gatehouse-system", "gatehouse-controller"),
    identity,
    times: TIMES,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log: pino({}, { write: (line: string) => void logged.push(line) }),
    onChange(isLeader) {
      expect(leaders().length).toBeLessThanOrEqual(1);
      onChange(isLeader);
    },
  });
  electors.push(elector);
  elector.start();
  return elector;
}

const leaders = () => electors.filter(({ isLeader }) => isLeader);
const oneLeads = () => waitFor("one leads", () => leaders()[0] ?? false);
const specOf = () => toFields(server.objects.get(LEASE)?.["spec"]);

function editSpec(change: Record<string, unknown>): void {
  const lease = server.objects.get(LEASE) ?? {};
  server.edit(LEASE, { ...lease, spec: { ...specOf(), ...change } });
}

/** Looks at each turn of the event loop until the time has passed. */
async function atMostOneLeadsFor(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    expect(leaders().length).toBeLessThanOrEqual(1);
    await new Promise(setImmediate);
  }
}

it("elects one of three, writes the Lease as Kubernetes has it, and keeps the leader", async () => {
  await candidate("a");
  await candidate("b");
  await candidate("c");
  const leader = await oneLeads();
  const { holderIdentity, acquireTime } = specOf();
  expect(specOf()).toMatchObject({ leaseDurationSeconds: 2, leaseTransitions: 0 });
  expect(acquireTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  await atMostOneLeadsFor(TIMES.leaseMs);
  expect(leader.isLeader).toBe(true);
  expect(specOf()).toMatchObject({ holderIdentity, acquireTime });
  await waitFor("all know the holder", () => electors.every(({ holder }) => holder === holderIdentity));
});

it("hands over at once when the leader stops", async () => {
  const first = await candidate("a");
  await oneLeads();
  const second = await candidate("b");
  await waitFor("b has looked", () => second.holder === "a");
  await first.stop();
  expect(first.isLeader).toBe(false);
  expect(specOf()).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
  await waitFor("b leads", () => second.isLeader);
  expect(specOf()).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
});

it("stops to lead when the API server hangs, although nobody tells it", async () => {
  const changes: boolean[] = [];
  const leader = await candidate("a", (isLeader) => changes.push(isLeader));
  await oneLeads();
  server.misbehave = () => ({ kind: "hang", isDone: false });
  await waitFor("it gave up", () => !leader.isLeader);
  await waitFor("it was told", () => changes.length === 2);
  expect(changes).toEqual([true, false]);
  expect(leader.lastError).toContain("leases/gatehouse-controller");
  expect(logged.filter((line) => line.includes("lease can't be read or written"))).not.toHaveLength(0);
});

it("goes on leading over a hang that is shorter than its deadline", async () => {
  const changes: boolean[] = [];
  await candidate("a", (isLeader) => changes.push(isLeader));
  await oneLeads();
  const seen = server.requests.length;
  server.misbehave = () => (server.requests.length <= seen + 1 ? { kind: "hang", isDone: true } : null);
  await waitFor("it asked again", () => server.requests.length > seen + 4);
  expect(changes).toEqual([true]);
});

describe("a Lease that people edit (R24)", () => {
  it("is written anew by its leader when it was deleted, and nobody else takes it", async () => {
    const leader = await candidate("a");
    await oneLeads();
    const other = await candidate("b");
    await waitFor("b has looked", () => other.holder === "a");
    server.objects.delete(LEASE);
    await waitFor("it is there again", () => server.objects.has(LEASE));
    await atMostOneLeadsFor(TIMES.leaseMs);
    expect(leader.isLeader).toBe(true);
    expect(specOf()["holderIdentity"]).toBe("a");
  });

  it("is not taken by a candidate that never saw it before its leader had time to write it anew", async () => {
    const leader = await candidate("a");
    await oneLeads();
    server.objects.delete(LEASE);
    await candidate("b");
    await atMostOneLeadsFor(TIMES.leaseMs);
    expect(leader.isLeader).toBe(true);
  });

  it.each(["stranger", "b", ""])(
    'makes the leader step down, and nobody act too early, when its holder becomes "%s"',
    async (holder) => {
      const leader = await candidate("a");
      await oneLeads();
      const other = await candidate("b");
      await waitFor("b has looked", () => other.holder === "a");
      editSpec({ holderIdentity: holder });
      await waitFor("a has noticed", () => !leader.isLeader || specOf()["holderIdentity"] === "a");
      await atMostOneLeadsFor(TIMES.leaseMs);
      await oneLeads();
    },
  );

  it.each([
    { leaseDurationSeconds: "x", renewTime: 7 },
    { leaseDurationSeconds: -5 },
    { holderIdentity: null },
    { leaseDurationSeconds: 1e9 },
  ])("is survived when its fields make no sense: %j", async (change) => {
    await candidate("a");
    await oneLeads();
    await candidate("b");
    editSpec(change);
    await atMostOneLeadsFor(TIMES.leaseMs);
    await oneLeads();
  });
});

it("never has two leaders, whatever the API server does to whom (model)", async () => {
  const fault = fc.oneof(
    fc.constant<Misbehaviour | null>(null),
    fc.constant<Misbehaviour>({ kind: "hang", isDone: false }),
    fc.constant<Misbehaviour>({ kind: "hang", isDone: true }),
    fc.constant<Misbehaviour>({ kind: "status", status: 500 }),
    fc.integer({ min: 1, max: 700 }).map((ms): Misbehaviour => ({ kind: "delay", ms })),
  );
  const step = fc.record({
    faults: fc.array(fault, { minLength: 1, maxLength: 6 }),
    edit: fc.constantFrom("none", "none", "delete", "stranger"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
      await Promise.all(electors.splice(0).map((elector) => elector.stop()));
      server.objects.clear();
      server.misbehave = () => null;
      for (const name of ["a", "b", "c"]) await candidate(name);
      await oneLeads();
      for (const { faults, edit } of steps) {
        let next = 0;
        server.misbehave = () => faults[next++ % faults.length] ?? null;
        if (edit === "delete") server.objects.delete(LEASE);
        if (edit === "stranger") editSpec({ holderIdentity: "stranger" });
        await atMostOneLeadsFor(400);
      }
      server.misbehave = () => null;
      await oneLeads();
    }),
    { numRuns: 4 },
  );
}, 60_000);
