import { describe, expect, it } from "vitest";
import type { Condition } from "./condition.ts";
import { type KeySourceState, keysReadyCondition } from "./keys-ready.ts";
import { changesOf } from "./status-changes.ts";
import { readStatus, toStatus } from "./status-form.ts";

const READY: KeySourceState = {
  issuer: "https://idp.example",
  uri: "https://idp.example/keys",
  keys: 2,
  isKnown: true,
  lastSuccess: "2030-01-01T00:00:00Z",
  failure: null,
};
const OTHER: KeySourceState = { ...READY, issuer: "", uri: "https://other.example/keys", keys: 1 };
const NEVER: KeySourceState = { ...READY, keys: 0, isKnown: false, lastSuccess: null, failure: "timeout" };
const STALE: KeySourceState = { ...READY, failure: "connect" };
const TOO_OLD: KeySourceState = { ...STALE, keys: 0, isKnown: false };
const EMPTY: KeySourceState = { ...READY, keys: 0 };

function told(sources: readonly KeySourceState[]): string | null {
  const condition = keysReadyCondition(sources, 3);
  if (condition === null) return null;
  const { type, status, reason, message, observedGeneration } = condition;
  return `${type}=${status} ${reason}@${observedGeneration}: ${message}`;
}

const NEVER_TEXT = "issuer https://idp.example, https://idp.example/keys: 0 keys, never fetched, last error timeout";
const OTHER_TEXT = "issuer (any), https://other.example/keys: 1 keys";

describe("KeysReady", () => {
  it.each<[string, readonly KeySourceState[], string | null]>([
    ["is not there without keys to fetch", [], null],
    ["is true with keys", [READY], "True KeysFetched@3: issuer https://idp.example, https://idp.example/keys: 2 keys"],
    ["is false while there never were keys", [NEVER], `False KeysUnavailable@3: ${NEVER_TEXT}`],
    [
      "stays true while the last keys serve",
      [STALE],
      "True KeysStale@3: issuer https://idp.example, https://idp.example/keys: 2 keys, last fetched 2030-01-01T00:00:00Z, last error connect",
    ],
    [
      "is false when they became too old",
      [TOO_OLD],
      "False KeysUnavailable@3: issuer https://idp.example, https://idp.example/keys: 0 keys, last fetched 2030-01-01T00:00:00Z, last error connect",
    ],
    [
      "is false when the issuer says that there are none",
      [EMPTY],
      "False KeysUnavailable@3: issuer https://idp.example, https://idp.example/keys: 0 keys",
    ],
    [
      "is true with two sources that both have keys",
      [READY, OTHER],
      `True KeysFetched@3: issuer https://idp.example, https://idp.example/keys: 2 keys; ${OTHER_TEXT}`,
    ],
    ["is false when one of two has none", [NEVER, OTHER], `False KeysUnavailable@3: ${NEVER_TEXT}; ${OTHER_TEXT}`],
    [
      "is false when one of two has none and the other is stale",
      [OTHER, STALE, EMPTY],
      "False KeysUnavailable@3: issuer (any), https://other.example/keys: 1 keys; issuer https://idp.example, https://idp.example/keys: 2 keys, last fetched 2030-01-01T00:00:00Z, last error connect; issuer https://idp.example, https://idp.example/keys: 0 keys",
    ],
  ])("%s", (_title, sources, expected) => {
    expect(told(sources)).toBe(expected === null ? null : `KeysReady=${expected}`);
  });

  it("says the same at each fetch that goes well, so that nothing is written", () => {
    expect(told([{ ...READY, lastSuccess: "2031-01-01T00:00:00Z" }])).toBe(told([READY]));
  });

  it.each<[string, KeySourceState, KeySourceState, readonly string[]]>([
    ["good from the beginning", READY, READY, []],
    ["stale, with keys that serve", READY, STALE, []],
    ["unavailable", STALE, TOO_OLD, ["Warning FetchKeys KeysUnavailable"]],
    ["available again", TOO_OLD, READY, ["Normal FetchKeys KeysFetched"]],
    ["still unavailable", NEVER, TOO_OLD, []],
  ])("makes an event when it is told that keys are %s", (_title, before, after, expected) => {
    expect(events(before, after)).toEqual(expected);
  });

  it("makes an event of keys that never were there", () => {
    expect(events(null, NEVER)).toEqual(["Warning FetchKeys KeysUnavailable"]);
  });
});

function events(before: KeySourceState | null, after: KeySourceState): readonly string[] {
  const status = toStatus(before === null ? [] : conditions(before), readStatus({}), "2030-01-01T00:00:00Z");
  const object = { key: "RequestAuthentication/foo/ra", apiVersion: "", uid: "u", resourceVersion: "1" } as const;
  return changesOf(object, readStatus(status), conditions(after)).map(
    ({ type, action, reason }) => `${type} ${action} ${reason}`,
  );
}

function conditions(source: KeySourceState): readonly Condition[] {
  const condition = keysReadyCondition([source], 1);
  return condition === null ? [] : [condition];
}
