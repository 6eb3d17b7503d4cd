import { expect, test } from "vitest";
import { applyUpdate } from "./policy-update.ts";
import { httpMatch, httpRoute, virtualService } from "./routing/testdata/builders.ts";

test("leaves turns to the checks while it compiles large expressions", async () => {
  const upserts = Array.from({ length: 200 }, (_, at) => {
    const matches = Array.from({ length: 10 }, (__, i) =>
      httpMatch({ uri: { kind: "regex", value: `/${at}/${i}/x{1000}` } }),
    );
    return virtualService(`v${at}`, { http: [httpRoute({ match: matches })] });
  });
  let turns = 0;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const prepared = await applyUpdate(null, { upserts, removed: [] });
  clearImmediate(next);
  expect(prepared.ok).toBe(true);
  // More than half a second of work, 5 ms a turn; steps of a hundred objects each would be two or three.
  expect(turns).toBeGreaterThan(20);
});
