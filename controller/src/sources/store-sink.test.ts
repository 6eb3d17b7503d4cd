import { pino } from "pino";
import { expect, it } from "vitest";
import { parseManifests } from "../resources/manifest.ts";
import { ResourceStore } from "../resources/store.ts";
import { storeSink } from "./store-sink.ts";

it("writes to the store, and logs each problem when it appears", () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line).problem) });
  const store = new ResourceStore(["dir:x"]);
  const sink = storeSink(store, "dir:x", log);
  const { resources } = parseManifests(
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a }\nspec: { rules: 1 }",
    "a.yaml",
  );
  for (const { kind, object, origin } of resources) if (kind === "invalid") sink.invalid(object, origin);
  const problem = { level: "error", where: "b.yaml", object: null, path: "", message: "is odd" } as const;
  sink.setProblems([problem]);
  sink.setProblems([problem]);
  sink.setProblems([]);
  sink.setProblems([problem]);
  expect(lines).toEqual([
    "a.yaml:4: AuthorizationPolicy default/a: spec.rules: must be of type array, found number",
    "b.yaml: is odd",
    "b.yaml: is odd",
  ]);
  expect(store.takeChanges().changed).toMatchObject([{ kind: "invalid", key: "AuthorizationPolicy/default/a" }]);
  sink.synced();
  expect(store.synced).toBe(true);
});
