import { beforeEach, describe, expect, it } from "vitest";
import type { Report } from "../translate/index.ts";
import type { Condition } from "./condition.ts";
import { createFleetView } from "./fleet-view.ts";
import type { ServerProgress } from "./server-progress.ts";
import { type BoardObject, type Decision, GRACE_MS, MINOR_MS, SHORTFALL_MS, StatusBoard } from "./status-board.ts";
import { readStatus, toStatus } from "./status-form.ts";

const KEY = "AuthorizationPolicy/foo/x";
const OTHER = "AuthorizationPolicy/foo/other";
const NOW = "2030-01-01T00:00:00Z";

let board: StatusBoard;
let nowMs: number;
let translated: string;

beforeEach(() => {
  nowMs = 1_000_000;
  translated = "999";
  board = new StatusBoard({ translated: () => translated, keySources: () => [] });
});

function object(over: Partial<BoardObject> = {}): BoardObject {
  const apiVersion = "security.istio.io/v1";
  return { key: KEY, apiVersion, uid: "u", generation: 1, resourceVersion: "10", errors: [], status: {}, ...over };
}

function report(reason: Report["reason"] = "Accepted", message = "no such field"): Report {
  const diagnostics =
    reason === "Accepted"
      ? []
      : [
          {
            path: "spec.rules[0]",
            reason: reason === "Invalid" ? ("Invalid" as const) : ("Unsupported" as const),
            message,
          },
        ];
  return {
    ref: { kind: "AuthorizationPolicy", namespace: "foo", name: "x" },
    accepted: reason !== "Invalid",
    reason,
    diagnostics,
  };
}

function server(node: string, position: string, refused: Record<string, string> = {}): ServerProgress {
  const entries = Object.entries(refused).map(([key, message]) => [key as typeof KEY, message] as const);
  return { node, position: new Map([["AuthorizationPolicy", position]]), refused: new Map(entries) };
}

function fleet(...servers: ServerProgress[]): void {
  board.fleet(createFleetView([{ replica: "r", servers }]), nowMs, nowMs);
}

function applied(over: Partial<BoardObject> = {}, verdict = report()): void {
  board.seen(object(over), nowMs);
  board.reported(over.key ?? KEY, { report: verdict, isChanged: true }, nowMs);
}

/** What is decided, for short. */
function decided(key: typeof KEY | typeof OTHER = KEY): readonly string[] | Exclude<Decision["kind"], "write"> {
  const decision = board.decide(key, nowMs);
  if (decision.kind !== "write") return decision.kind;
  return decision.conditions.map(
    ({ type, status, reason, message, observedGeneration }) =>
      `${type}=${status} ${reason}@${observedGeneration}: ${message}`,
  );
}

/** Carries a decision out as the API server would. */
function write(resourceVersion: string): readonly Condition[] {
  const decision = board.decide(KEY, nowMs);
  if (decision.kind !== "write") throw new Error(`nothing to write: ${decision.kind}`);
  const status = toStatus(decision.conditions, decision.before, NOW);
  board.written(KEY, decision.conditions, { uid: "u", resourceVersion, status });
  return decision.conditions;
}

describe("an object is programmed", () => {
  it("when every connected server has come as far as the object", () => {
    fleet(server("a", "10"), server("b", "11"));
    applied();
    nowMs += 1;
    fleet(server("a", "10"), server("b", "11"));
    expect(decided()).toEqual([
      "Accepted=True Accepted@1: accepted",
      "Programmed=True Programmed@1: 2/2 servers enforce generation 1",
    ]);
  });

  it("only by a view of the fleet that was asked for after the object was seen", () => {
    fleet(server("a", "10"));
    nowMs += 10;
    applied();
    expect(decided()).toBe("wait");
    nowMs += GRACE_MS;
    expect(decided()).toBe("wait");
    fleet(server("a", "10"));
    expect(decided()).toContain("Programmed=True Programmed@1: 1/1 servers enforce generation 1");
  });

  it("not before it was translated here", () => {
    translated = "9";
    applied();
    fleet(server("a", "10"));
    nowMs += 60_000;
    expect(decided()).toBe("wait");
    translated = "10";
    expect(decided()).toContain("Programmed=True Programmed@1: 1/1 servers enforce generation 1");
  });

  it("never when it is not accepted, and that is said at once", () => {
    applied({}, report("Invalid"));
    fleet(server("a", "10"));
    expect(decided()).toEqual([
      "Accepted=False Invalid@1: invalid, and fails closed: spec.rules[0]: no such field",
      "Programmed=False Invalid@1: generation 1 is not accepted; see the condition Accepted",
    ]);
  });

  it("never when it failed its schema, whatever of it still serves", () => {
    applied();
    fleet(server("a", "99"));
    board.seen(
      object({ generation: 2, resourceVersion: "20", errors: [{ path: "spec.action", message: "bad" }] }),
      nowMs,
    );
    expect(decided()).toEqual([
      "Accepted=False Invalid@2: invalid: spec.action: bad",
      "Programmed=False Invalid@2: generation 2 is not accepted; see the condition Accepted",
    ]);
  });
});

describe("an edit", () => {
  beforeEach(() => {
    applied();
    fleet(server("a", "10"), server("b", "10"));
    write("11");
    board.seen(object({ generation: 2, resourceVersion: "12", status: toStatusOf(1) }), nowMs);
    board.reported(KEY, { report: report(), isChanged: true }, nowMs);
  });

  it("is one write when all servers follow soon", () => {
    expect(decided()).toBe("wait");
    nowMs += 300;
    fleet(server("a", "12"), server("b", "12"));
    expect(decided()).toContain("Programmed=True Programmed@2: 2/2 servers enforce generation 2");
  });

  it("is said to be pending after a second, with how many follow", () => {
    fleet(server("a", "12"), server("b", "10"));
    nowMs += GRACE_MS;
    expect(decided()).toContain("Programmed=False Pending@2: 1/2 servers enforce generation 2");
  });

  it("tells of a refusal at once, in the server's words and without what a terminal obeys", () => {
    fleet(server("a", "12"), server("b", "12", { [KEY]: "unknown\u001b[31m condition" }));
    expect(decided()).toContain(
      "Programmed=False Refused@2: 1/2 servers enforce generation 2; b refused it: unknown [31m condition",
    );
  });

  it("takes no refusal of an older version for its own", () => {
    fleet(server("a", "12"), server("b", "11", { [KEY]: "unknown condition" }));
    expect(decided()).toBe("wait");
  });

  it("with no server connected is unknown, after a second", () => {
    fleet();
    nowMs += GRACE_MS;
    expect(decided()).toContain("Programmed=Unknown NoServers@2: no server is connected");
  });
});

it("says at once that a change of annotations is not enforced yet, because it is no new generation", () => {
  applied();
  fleet(server("a", "10"));
  write("11");
  board.seen(object({ resourceVersion: "12", status: toStatusOf(1) }), nowMs);
  board.reported(KEY, { report: report(), isChanged: true }, nowMs);
  expect(decided()).toContain("Programmed=False Pending@1: 0/1 servers enforce generation 1");
});

it("has nothing to say about a change of labels, which changes no policy", () => {
  applied();
  fleet(server("a", "10"));
  write("11");
  board.seen(object({ resourceVersion: "12", status: toStatusOf(1, 1) }), nowMs);
  board.reported(KEY, { report: report(), isChanged: false }, nowMs);
  expect(decided()).toBe("none");
});

describe("what was programmed", () => {
  beforeEach(() => {
    applied();
    fleet(server("a", "10"), server("b", "10"));
    write("11");
  });

  it("stays so while a server restarts, and not for longer", () => {
    fleet(server("a", "10"), { ...server("b", "1"), position: new Map() });
    expect(decided()).toBe("wait");
    nowMs += SHORTFALL_MS - 1;
    expect(decided()).toBe("wait");
    nowMs += 1;
    expect(decided()).toContain("Programmed=False Pending@1: 1/2 servers enforce generation 1");
  });

  it("is written anew for a count only when servers have stopped to come and go", () => {
    fleet(server("a", "10"), server("b", "10"), server("c", "10"));
    expect(decided()).toBe("wait");
    expect([board.waiting, board.unprogrammed]).toEqual([1, 0]);
    nowMs += MINOR_MS;
    expect(board.decide(KEY, nowMs)).toMatchObject({ kind: "write", isMinor: true });
  });

  it("stays so under a new leader that knows the object from the API server only", () => {
    board = new StatusBoard({ translated: () => translated, keySources: () => [] });
    board.seen(object({ resourceVersion: "11", status: toStatusOf(1) }), nowMs);
    board.reported(KEY, { report: report(), isChanged: true }, nowMs);
    fleet();
    expect(decided()).toBe("wait");
    fleet(server("a", "11"), server("b", "11"));
    expect(decided()).toBe("none");
  });
});

it("does not write again what it has written, nor what the API server drops", () => {
  applied();
  fleet(server("a", "10"));
  const conditions = write("11");
  expect(decided()).toBe("none");
  const dropped = readStatus(toStatusOf(0)).conditions.map(({ type, status, reason, message }) => ({
    type,
    status,
    reason,
    message,
  }));
  board.written(KEY, conditions, { uid: "u", resourceVersion: "12", status: { conditions: dropped } });
  expect(decided()).toBe("none");
});

it("ignores an older version that a slow watch brings after a write", () => {
  applied();
  fleet(server("a", "10"));
  write("11");
  board.seen(object({ resourceVersion: "10" }), nowMs);
  expect(decided()).toBe("none");
});

it("looks again only at what an acknowledgement may change", () => {
  applied();
  applied({ key: OTHER, resourceVersion: "20" });
  fleet(server("a", "10"));
  for (const key of board.takeDirty(10)) board.decide(key, nowMs);
  expect(board.waiting).toBe(1);
  fleet(server("a", "15"));
  expect(board.takeDirty(10)).toEqual([OTHER]); // it waits for a view that was asked for late enough
  board.decide(OTHER, nowMs + GRACE_MS);
  fleet(server("a", "16"));
  expect(board.takeDirty(10)).toEqual([]);
  fleet(server("a", "20"));
  expect(board.takeDirty(10)).toEqual([OTHER]);
});

it("carries the conditions of other writers along, and keeps times of what does not change", () => {
  const foreign = { type: "Reconciled", status: "True", custom: 1 };
  const before = readStatus({
    conditions: [foreign, { type: "Accepted", status: "True", lastTransitionTime: "2029-01-01T00:00:00Z" }],
  });
  const conditions = [
    { type: "Accepted", status: "True", reason: "Accepted", message: "accepted", observedGeneration: 2 },
    { type: "Programmed", status: "False", reason: "Pending", message: "0/1", observedGeneration: 2 },
  ] as const;
  expect(toStatus(conditions, before, NOW)).toEqual({
    observedGeneration: 2,
    conditions: [
      { ...conditions[0], lastTransitionTime: "2029-01-01T00:00:00Z" },
      { ...conditions[1], lastTransitionTime: NOW },
      foreign,
    ],
  });
});

/** A status that says that all is well with a generation. */
function toStatusOf(observedGeneration: number, servers = 2): unknown {
  const message = `${servers}/${servers} servers enforce generation ${observedGeneration}`;
  return {
    conditions: [
      { type: "Accepted", status: "True", reason: "Accepted", message: "accepted", observedGeneration },
      { type: "Programmed", status: "True", reason: "Programmed", message, observedGeneration },
    ],
  };
}
