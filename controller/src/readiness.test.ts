import { expect, it } from "vitest";
import { Fleet } from "./discovery/fleet.ts";
import type { KeySourceHealth } from "./jwks/refresher.ts";
import { PolicyLedger } from "./policy-ledger.ts";
import { checkReadiness } from "./readiness.ts";
import { ResourceStore } from "./resources/store.ts";

const GOOD: KeySourceHealth = {
  keySet: "remote-a",
  issuer: "https://idp.example.com",
  uri: "https://idp.example.com/keys?access=secret",
  state: "ready",
  keys: 2,
  skipped: ["key at index 2 is not used: it is not an object"],
  lastSuccessMs: Date.UTC(2030, 0, 1),
  ageMs: 0,
  nextRefreshMs: Date.UTC(2030, 0, 1, 0, 20),
  lastFailure: null,
};
const DEAD: KeySourceHealth = {
  ...GOOD,
  keySet: "remote-b",
  issuer: "",
  uri: "",
  state: "unavailable",
  keys: 0,
  skipped: [],
  lastSuccessMs: null,
  ageMs: null,
  lastFailure: { class: "status", detail: "HTTP 503" },
};

function check(keySources: readonly KeySourceHealth[]) {
  const store = new ResourceStore(["test"]);
  store.markSynced("test");
  const rest = {
    source: "test",
    sourceStates: [],
    meshProblems: [],
    version: "1",
    ledger: new PolicyLedger(),
    fleet: new Fleet(),
  };
  return checkReadiness({ ...rest, store, keySources }).find(({ name }) => name === "keys");
}

it("tells how each source of keys stands, and stays ready with keys that can't be fetched", () => {
  expect(check([GOOD, DEAD])).toEqual({
    name: "keys",
    ok: true,
    message: [
      "1 of 2 key sets are fresh",
      "remote-a: issuer https://idp.example.com, https://idp.example.com/keys: ready, 2 keys, 1 not usable, fetched 2030-01-01T00:00:00.000Z, next 2030-01-01T00:20:00.000Z",
      "remote-b: issuer (any), (OpenID discovery): unavailable, 0 keys, never fetched, next 2030-01-01T00:20:00.000Z, last error status: HTTP 503",
    ].join("\n"),
  });
});

it("says nothing of keys where none are fetched", () => {
  expect(check([])).toBeUndefined();
});
