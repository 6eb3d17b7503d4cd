import { describe, expect, it } from "vitest";
import { fetchInTurns } from "./fetch-turns.ts";
import type { FetchOutcome } from "./fetcher.ts";

const KEYS: FetchOutcome = { kind: "keys", keys: [], skipped: [], freshMs: null };
const NEVER = new AbortController().signal;

/** Sources named after their namespaces, `a+b/1`, with at most two attempts for each; attempts end when they are told to. */
function create() {
  const under = new Map<string, () => void>();
  const { fetch, join } = fetchInTurns(
    ({ keySet }) =>
      new Promise((resolve) => {
        under.set(keySet, () => {
          under.delete(keySet);
          resolve(KEYS);
        });
      }),
    (keySet) => (keySet.split("/")[0] ?? "").split("+"),
    2,
  );
  const outcomes = new Map<string, string>();
  const start = (keySet: string, signal: AbortSignal = NEVER) =>
    void fetch({ keySet, issuer: "", uri: "", timeoutMs: 1 }, signal).then(({ kind }) => outcomes.set(keySet, kind));
  const end = async (keySet: string) => {
    under.get(keySet)?.();
    await new Promise(setImmediate);
  };
  return { start, end, join, outcomes, underWay: () => [...under.keys()] };
}

describe("attempts to fetch keys", () => {
  it("of one namespace wait for each other in their order, those of others go on", async () => {
    const { start, end, underWay, outcomes } = create();
    for (const name of ["a/1", "a/2", "a/3", "a/4", "b/1"]) start(name);
    expect(underWay()).toEqual(["a/1", "a/2", "b/1"]);
    await end("a/2");
    expect(underWay()).toEqual(["a/1", "b/1", "a/3"]);
    await end("a/1");
    await end("a/3");
    await end("a/4");
    expect(outcomes).toEqual(new Map(["a/2", "a/1", "a/3", "a/4"].map((name) => [name, "keys"])));
    start("a/5");
    expect(underWay()).toEqual(["b/1", "a/5"]);
  });

  it("for a source of several namespaces begin when one of them has a turn", async () => {
    const { start, end, underWay } = create();
    for (const name of ["a/1", "a/2", "a+b/1", "b/1", "a+b/2"]) start(name);
    expect(underWay()).toEqual(["a/1", "a/2", "a+b/1", "b/1"]);
    await end("b/1");
    expect(underWay()).toEqual(["a/1", "a/2", "a+b/1", "a+b/2"]);
    // Its place in the other line is given up.
    await end("a/1");
    start("a/3");
    expect(underWay()).toEqual(["a/2", "a+b/1", "a+b/2", "a/3"]);
  });

  it("that wait behind others of one namespace begin when another one needs their source", async () => {
    const { start, end, join, underWay } = create();
    for (const name of ["a/1", "a/2", "a/3", "a/4"]) start(name);
    join("a/4", "b");
    await end(""); // lets it begin
    expect(underWay()).toEqual(["a/1", "a/2", "a/4"]);
    // It is the turn of b that it took.
    await end("a/4");
    start("b/1");
    start("b/2");
    start("b/3");
    expect(underWay()).toEqual(["a/1", "a/2", "b/1", "b/2"]);
    // Nobody has a turn to spare: it stays in the line of a, and stands in that of b.
    join("a/3", "b");
    join("a/3", "b");
    await end("b/1");
    await end("b/2");
    expect(underWay()).toEqual(["a/1", "a/2", "b/3", "a/3"]);
    await end("a/3");
    await end("a/1");
    start("a/5");
    expect(underWay()).toEqual(["a/2", "b/3", "a/5"]);
  });

  it("that are given up while they wait leave the line", async () => {
    const { start, end, underWay, outcomes } = create();
    const ending = new AbortController();
    start("a/1");
    start("a/2");
    start("a/3", ending.signal);
    start("a/4");
    ending.abort();
    await end("a/1");
    expect(outcomes.get("a/3")).toBe("failure");
    expect(underWay()).toEqual(["a/2", "a/4"]);
  });
});
