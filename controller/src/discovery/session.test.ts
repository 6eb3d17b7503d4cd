import { describe, expect, it } from "vitest";
import { type EncodedResource, type PublishedSet, type Receipt, Session, type SessionResponse } from "./session.ts";

const published: ReadonlyMap<string, EncodedResource>[] = [];

/**
 * A set of resources whose version is its content, and the next revision of what was published before.
 * `cannotMark` names have no unenforceable form.
 */
function setOf(versions: Record<string, string>, cannotMark: readonly string[] = []): PublishedSet {
  const resources = new Map(Object.entries(versions).map(([name, version]) => [name, encoded(version)]));
  return {
    revision: published.push(resources) - 1,
    version: JSON.stringify(versions),
    resources,
    changedSince(revision) {
      const before = published[revision] ?? new Map<string, EncodedResource>();
      const names = new Set([...before.keys(), ...resources.keys()]);
      return [...names].filter((name) => before.get(name)?.version !== resources.get(name)?.version);
    },
    unenforceable(name) {
      if (name.startsWith("provider")) return "withheld";
      const version = resources.get(name)?.version;
      if (version === undefined || cannotMark.includes(name)) return null;
      return encoded(version.endsWith("-denied") ? version : `${version}-denied`);
    },
  };
}

function encoded(version: string): EncodedResource {
  return { version, bytes: Buffer.from(version) };
}

/** The client's end: keeps what it was given, answers as told. */
class Client {
  session = new Session();
  set: PublishedSet | null = null;

  connect(subscribe: readonly string[] = ["*"], initial: Record<string, string> = {}): string | null {
    this.session = new Session();
    this.#receive({ subscribe, initialVersions: new Map(Object.entries(initial)) });
    return this.next();
  }

  publish(set: PublishedSet): string | null {
    this.set = set;
    return this.next();
  }

  subscribe(...names: string[]): string | null {
    this.#receive({ subscribe: names });
    return this.next();
  }

  unsubscribe(...names: string[]): string | null {
    this.#receive({ unsubscribe: names });
    return this.next();
  }

  ack(nonce = this.last?.nonce ?? ""): string | null {
    this.receipt = this.#receive({ nonce });
    return this.next();
  }

  nack(...names: string[]): string | null {
    const resources = names.map((name) => ({ name, reason: "unknown condition" }));
    this.receipt = this.#receive({ nonce: this.last?.nonce ?? "", refusal: { message: "refused", resources } });
    return this.next();
  }

  last: SessionResponse | null = null;
  receipt: Receipt = { kind: "none" };

  /** The next response as text: `a=1 b=2 -c`; null when the session has nothing to send. */
  next(): string | null {
    const response = this.set === null ? null : this.session.next(this.set);
    if (response === null) return null;
    this.last = response;
    const resources = response.resources.map(({ name, version }) => `${name}=${version}`);
    return [...resources, ...response.removed.map((name) => `-${name}`)].join(" ");
  }

  #receive(request: Partial<Parameters<Session["receive"]>[0]>): Receipt {
    const none = { subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: "", refusal: null };
    return this.session.receive({ ...none, ...request }, this.set);
  }
}

describe("subscribe", () => {
  it("sends nothing before the client has asked", () => {
    const client = new Client();
    expect(client.publish(setOf({ a: "1" }))).toBe(null);
  });

  it("sends nothing before the first set is published, then all of it", () => {
    const client = new Client();
    expect(client.connect()).toBe(null);
    expect(client.publish(setOf({ a: "1", b: "1" }))).toBe("a=1 b=1");
  });

  it("answers a wildcard with everything, an empty set with an empty response", () => {
    const client = new Client();
    client.publish(setOf({}));
    expect(client.connect()).toBe("");
  });

  it("treats a first request without names as a wildcard", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    expect(client.connect([])).toBe("a=1");
  });

  it("sends only the names asked for, and says which of them do not exist", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    expect(client.connect(["a", "c"])).toBe("a=1 -c");
    expect(client.ack()).toBe(null);
    expect(client.publish(setOf({ a: "1", b: "2" }))).toBe(null);
    expect(client.publish(setOf({ a: "1", b: "2", c: "1" }))).toBe("c=1");
  });

  it("sends again what is asked for again", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect();
    client.ack();
    expect(client.subscribe("a")).toBe("a=1");
    client.ack();
    expect(client.subscribe("*")).toBe("a=1 b=1");
  });

  it("sends again what is asked for again while the first response is unanswered", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect();
    expect(client.subscribe("a")).toBe(null);
    expect(client.ack()).toBe("a=1");
    expect(client.ack()).toBe(null);
  });

  it("keeps an implicit wildcard when a name is added, and drops it when * is unsubscribed", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect([]);
    client.ack();
    expect(client.subscribe("a")).toBe("a=1");
    client.ack();
    expect(client.publish(setOf({ a: "1", b: "2" }))).toBe("b=2");
    client.ack();
    expect(client.unsubscribe("*")).toBe(null);
    expect(client.publish(setOf({ a: "2", b: "3" }))).toBe("a=2");
  });

  it("stops sending what is unsubscribed, without a removal", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect(["a", "b"]);
    client.ack();
    expect(client.unsubscribe("a", "never-subscribed")).toBe(null);
    expect(client.publish(setOf({ a: "2", b: "1" }))).toBe(null);
    expect([...client.session.known]).toEqual([["b", "1"]]);
  });

  it("tells a client that keeps its wildcard what became of a name it unsubscribes", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect(["*", "a", "b"]);
    client.ack();
    expect(client.unsubscribe("a", "b")).toBe("a=1 -b");
  });

  it("honours subscriptions that come with a stale nonce", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect(["a"]);
    client.ack();
    const request = { unsubscribe: [], initialVersions: new Map(), refusal: null };
    expect(client.session.receive({ ...request, subscribe: ["b"], nonce: "77" }, client.set).kind).toBe("stale");
    expect(client.next()).toBe("b=1");
  });
});

describe("ACK", () => {
  it("remembers what the client has, and sends only what changed after it", () => {
    const client = new Client();
    const set = setOf({ a: "1", b: "1" });
    client.publish(set);
    client.connect();
    expect(client.ack()).toBe(null);
    expect(client.receipt).toEqual({ kind: "ack", version: set.version });
    expect([...client.session.known]).toEqual([
      ["a", "1"],
      ["b", "1"],
    ]);
    expect(client.publish(setOf({ a: "1", b: "2" }))).toBe("b=2");
  });

  it("pushes nothing for a set of equal content", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    client.ack();
    expect(client.publish(setOf({ a: "1" }))).toBe(null);
  });

  it("removes what is gone, once", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect();
    client.ack();
    expect(client.publish(setOf({ a: "1" }))).toBe("-b");
    expect(client.ack()).toBe(null);
    expect([...client.session.known.keys()]).toEqual(["a"]);
    expect(client.publish(setOf({ a: "2" }))).toBe("a=2");
  });

  it("ignores an answer to a response that is not in flight", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    expect(client.ack("0")).toBe(null);
    expect(client.receipt).toEqual({ kind: "stale" });
    expect(client.session.isPending).toBe(true);
    expect(client.session.known.size).toBe(0);
  });
});

describe("a slow client", () => {
  it("has one response in flight however often the set changes, then gets the newest state only", () => {
    const client = new Client();
    client.publish(setOf({ a: "0", gone: "1" }));
    client.connect();
    for (let i = 1; i <= 10_000; i++) expect(client.publish(setOf({ a: String(i), b: "1" }))).toBe(null);
    expect(client.session.known.size).toBe(0);
    expect(client.ack()).toBe("a=10000 b=1 -gone");
    expect(client.ack()).toBe(null);
  });

  it("gets nothing when all changes were undone before it answered", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    client.publish(setOf({ a: "2" }));
    client.publish(setOf({ a: "1" }));
    expect(client.ack()).toBe(null);
  });
});

describe("reconnect", () => {
  it("resends nothing that initial_resource_versions names with equal version, yet answers", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "2" }));
    expect(client.connect(["*"], { a: "1", b: "2" })).toBe("");
    expect(client.ack()).toBe(null);
  });

  it("sends what differs and removes what vanished meanwhile", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "2", c: "1" }));
    expect(client.connect(["*"], { a: "1", b: "1", gone: "1" })).toBe("b=2 c=1 -gone");
  });

  it("removes a vanished resource even if the client names no version for it", () => {
    const client = new Client();
    client.publish(setOf({}));
    expect(client.connect(["*"], { gone: "" })).toBe("-gone");
  });

  it("does the same for names asked for one by one, and forgets versions of others", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    expect(client.connect(["a", "gone"], { a: "1", gone: "1", b: "0" })).toBe("-gone");
    client.ack();
    expect(client.publish(setOf({ a: "1", b: "2" }))).toBe(null);
  });

  it("looks at initial_resource_versions in the first request only", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect(["b"]);
    client.ack();
    const initialVersions = new Map([["a", "1"]]);
    client.session.receive({ subscribe: ["a"], unsubscribe: [], initialVersions, nonce: "", refusal: null }, null);
    expect(client.next()).toBe("a=1");
  });
});

describe("NACK", () => {
  it("sends the change again with the named resource marked, its neighbours as they are", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", bad: "1" }));
    client.connect();
    expect(client.nack("bad")).toBe("a=1 bad=1-denied");
    expect(client.receipt).toMatchObject({ kind: "nack", marked: ["bad"], isHeld: false });
    expect(client.ack()).toBe(null);
    expect(client.session.known.get("bad")).toBe("1-denied");
  });

  it("tries a changed version of a marked resource as it is", () => {
    const client = new Client();
    client.publish(setOf({ bad: "1" }));
    client.connect();
    client.nack("bad");
    client.ack();
    expect(client.publish(setOf({ bad: "2" }))).toBe("bad=2");
    expect(client.ack()).toBe(null);
  });

  it("leaves other sessions alone", () => {
    const [first, second] = [new Client(), new Client()];
    for (const client of [first, second]) {
      client.publish(setOf({ bad: "1" }));
      client.connect();
    }
    expect(first.nack("bad")).toBe("bad=1-denied");
    expect(second.ack()).toBe(null);
    expect(second.session.known.get("bad")).toBe("1");
  });

  it("marks a resource that the client had already, when a change elsewhere made it unusable", () => {
    const client = new Client();
    client.publish(setOf({ user: "1", keys: "1" }));
    client.connect();
    client.ack();
    expect(client.publish(setOf({ user: "1", keys: "2" }))).toBe("keys=2");
    expect(client.nack("user")).toBe("user=1-denied keys=2");
  });

  it("leaves out, or takes back, what can only be withheld", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", provider: "1" }));
    client.connect();
    expect(client.nack("provider")).toBe("a=1");
    client.ack();
    expect(client.publish(setOf({ a: "1", provider: "2" }))).toBe("provider=2");
    client.ack();
    client.publish(setOf({ a: "1", provider: "3" }));
    expect(client.nack("provider")).toBe("-provider");
  });

  it("does not send the same again when no resource is named", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    client.ack();
    expect(client.publish(setOf({ a: "2" }))).toBe("a=2");
    expect(client.nack()).toBe(null);
    expect(client.receipt).toMatchObject({ kind: "nack", marked: [], isHeld: true });
    expect(client.publish(setOf({ a: "2" }))).toBe(null);
    expect(client.session.known.get("a")).toBe("1");
  });

  it("sends other changes past one that is held, to a client that enforces something", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect();
    client.ack();
    client.publish(setOf({ a: "2", b: "1" }));
    client.nack();
    expect(client.publish(setOf({ a: "2", b: "2" }))).toBe("b=2");
    client.ack();
    expect(client.publish(setOf({ a: "3", b: "2" }))).toBe("a=3");
  });

  it("releases all of a held change when a part of it changes", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", b: "1" }));
    client.connect();
    client.ack();
    client.publish(setOf({ a: "2", b: "2" }));
    client.nack();
    expect(client.publish(setOf({ a: "3", b: "2" }))).toBe("a=3 b=2");
  });

  it("never gives a client that enforces nothing yet a part of the set", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    expect(client.nack()).toBe(null);
    expect(client.publish(setOf({ a: "1", b: "1" }))).toBe("a=1 b=1");
  });

  it("sends what is held again to a client that asks for it by name", () => {
    const client = new Client();
    client.publish(setOf({ a: "1" }));
    client.connect();
    client.ack();
    client.publish(setOf({ a: "2" }));
    client.nack();
    expect(client.subscribe("a")).toBe("a=2");
  });

  it("holds the change when the marked form is refused too", () => {
    const client = new Client();
    client.publish(setOf({ bad: "1" }));
    client.connect();
    expect(client.nack("bad")).toBe("bad=1-denied");
    expect(client.nack("bad")).toBe(null);
    expect(client.publish(setOf({ bad: "2" }))).toBe("bad=2");
  });

  it("holds the change when the named resource can't be marked, is unknown, or was removed", () => {
    const client = new Client();
    client.publish(setOf({ mesh: "1", gone: "1" }, ["mesh"]));
    client.connect();
    expect(client.nack("mesh", "never-heard-of")).toBe(null);
    client.connect();
    client.ack();
    expect(client.publish(setOf({ mesh: "1" }))).toBe("-gone");
    expect(client.nack("gone")).toBe(null);
    expect(client.session.known.has("gone")).toBe(true);
  });

  it("holds the change at once when the named resource was in its unenforceable form already", () => {
    const client = new Client();
    client.publish(setOf({ bad: "1-denied" }));
    client.connect();
    expect(client.nack("bad")).toBe(null);
    expect(client.receipt).toMatchObject({ marked: [], isHeld: true });
  });

  it("sends what is current when the named resource changed while the refusal travelled", () => {
    const client = new Client();
    client.publish(setOf({ a: "1", bad: "1" }));
    client.connect();
    client.publish(setOf({ a: "1", bad: "2" }));
    expect(client.nack("bad")).toBe("a=1 bad=2");
  });

  it("ends within one resend a resource, whatever is named", () => {
    const client = new Client();
    const names = ["a", "b", "c", "d"];
    client.publish(setOf(Object.fromEntries(names.map((name) => [name, "1"]))));
    let sent = client.connect();
    let responses = 0;
    while (sent !== null) {
      responses += 1;
      sent = client.nack(names[responses % 4] ?? "");
    }
    expect(responses).toBe(5);
  });

  it("answers with an empty response when the client has the marked form from before", () => {
    const client = new Client();
    client.publish(setOf({ bad: "1" }));
    expect(client.connect(["*"], { bad: "1-denied" })).toBe("bad=1");
    expect(client.nack("bad")).toBe("");
    expect(client.ack()).toBe(null);
  });
});
