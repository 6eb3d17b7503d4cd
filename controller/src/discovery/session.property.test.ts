import fc from "fast-check";
import { expect, it } from "vitest";
import { type PublishedSet, Session, type SessionRequest, type SessionResponse } from "./session.ts";

const NAMES = ["a", "b", "c", "d", "e"];

const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), name: fc.constantFrom(...NAMES), version: fc.integer({ max: 3 }) }),
  fc.record({ kind: fc.constant("remove" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ kind: fc.constant("ack" as const) }),
  fc.record({ kind: fc.constant("nack" as const), blamed: fc.subarray(NAMES) }),
  fc.record({ kind: fc.constant("staleAnswer" as const) }),
  fc.record({ kind: fc.constant("reconnect" as const), remembers: fc.boolean() }),
  fc.record({ kind: fc.constant("subscribe" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ kind: fc.constant("unsubscribe" as const), name: fc.constantFrom(...NAMES) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A published set, a wildcard client, and the session between them. */
class World {
  readonly set = new Map<string, string>();
  client = new Map<string, string>();
  #inFlight: SessionResponse | null = null;
  #session = new Session();
  #revision = 0;
  /** Names by the revision that changed them; null: the set remembers nothing. */
  readonly #history: { revision: number; names: readonly string[] }[] | null;

  constructor(hasHistory: boolean) {
    this.#history = hasHistory ? [] : null;
    this.#request({ subscribe: ["*"] });
  }

  inFlight(): SessionResponse | null {
    return this.#inFlight;
  }

  take(action: Step): void {
    switch (action.kind) {
      case "put":
        this.publish(() => this.set.set(action.name, `v${action.version}`));
        return;
      case "remove":
        this.publish(() => this.set.delete(action.name));
        return;
      case "ack":
        this.ack();
        return;
      case "nack":
        this.#nack(action.blamed);
        return;
      case "staleAnswer":
        this.#request({ nonce: "no such nonce" });
        return;
      case "reconnect":
        if (!action.remembers) this.client.clear();
        this.#session = new Session();
        this.#inFlight = null;
        this.#request({ subscribe: ["*"], initialVersions: new Map(this.client) });
        return;
      case "subscribe":
        this.#request({ subscribe: [action.name] });
        return;
      case "unsubscribe":
        this.#request({ unsubscribe: [action.name] });
    }
  }

  publish(change: () => void): void {
    const before = new Map(this.set);
    change();
    this.#revision += 1;
    const names = NAMES.filter((name) => before.get(name) !== this.set.get(name));
    this.#history?.push({ revision: this.#revision, names });
    this.#send();
  }

  ack(): void {
    if (this.#inFlight === null) return;
    const { resources, removed, nonce } = this.#inFlight;
    for (const { name, version } of resources) this.client.set(name, version);
    for (const name of removed) this.client.delete(name);
    this.#inFlight = null;
    this.#request({ nonce });
  }

  #nack(blamed: readonly string[]): void {
    if (this.#inFlight === null) return;
    const { nonce } = this.#inFlight;
    this.#inFlight = null;
    const resources = blamed.map((name) => ({ name, reason: "no" }));
    this.#request({ nonce, refusal: { message: "no", resources } });
  }

  #request(request: Partial<SessionRequest>): void {
    const none = { subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: "", refusal: null };
    this.#session.receive({ ...none, ...request }, this.#published());
    this.#send();
  }

  #send(): void {
    const response = this.#session.next(this.#published());
    if (response === null) return;
    expect(this.#inFlight, "one response in flight").toBe(null);
    this.#inFlight = response;
  }

  #published(): PublishedSet {
    const bytes = new Uint8Array();
    return {
      revision: this.#revision,
      version: "",
      resources: new Map([...this.set].map(([name, version]) => [name, { version, bytes }])),
      changedSince: (revision) =>
        this.#history?.flatMap((entry) => (entry.revision > revision ? entry.names : [])) ?? null,
      unenforceable: (name) => (name === "e" ? "withheld" : { version: `${this.set.get(name)}-denied`, bytes }),
    };
  }
}

it("brings the client to the published set after any history, once it accepts", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (hasHistory, steps) => {
      const world = new World(hasHistory);
      for (const action of steps) world.take(action);
      // Every resource changes to a version that was never refused, and the client accepts from now on.
      world.publish(() => {
        for (const name of NAMES) world.set.set(name, "final");
      });
      let responses = 0;
      while (world.inFlight() !== null) {
        world.ack();
        responses += 1;
        expect(responses).toBeLessThan(4);
      }
      expect(Object.fromEntries(world.client)).toEqual(Object.fromEntries(world.set));
    }),
    { numRuns: 2000 },
  );
});

it("gives a client that always accepts exactly the published set, removals included", () => {
  const accepted = step.filter(({ kind }) => kind !== "nack");
  fc.assert(
    fc.property(fc.boolean(), fc.array(accepted, { maxLength: 40 }), (hasHistory, steps) => {
      const world = new World(hasHistory);
      for (const action of steps) world.take(action);
      while (world.inFlight() !== null) world.ack();
      expect(Object.fromEntries(world.client)).toEqual(Object.fromEntries(world.set));
    }),
    { numRuns: 2000 },
  );
});

it("never leaves a client that refuses without the resources it did not refuse", () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(step, { maxLength: 30 }),
      fc.subarray(NAMES, { minLength: 1 }),
      (hasHistory, steps, bad) => {
        const world = new World(hasHistory);
        for (const action of steps) world.take(action);
        while (world.inFlight() !== null) world.ack();
        world.publish(() => {
          for (const name of NAMES) world.set.set(name, "final");
        });
        let responses = 0;
        while (world.inFlight() !== null) {
          const refused = (world.inFlight()?.resources ?? []).filter(
            ({ name, version }) => version === "final" && bad.includes(name),
          );
          if (refused.length > 0) world.take({ kind: "nack", blamed: refused.map(({ name }) => name) });
          else world.ack();
          responses += 1;
          expect(responses).toBeLessThan(6);
        }
        const expected = NAMES.filter((name) => !(name === "e" && bad.includes("e")));
        expect(Object.fromEntries(world.client)).toEqual(
          Object.fromEntries(expected.map((name) => [name, bad.includes(name) ? "final-denied" : "final"])),
        );
      },
    ),
    { numRuns: 1000 },
  );
});
