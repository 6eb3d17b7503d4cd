import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { repositoryFiles } from "../repository/files.ts";
import { flapObject } from "../support/flapping-object.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("policy");

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Files of the controller that send more than GET to the API server. */
const MAY_WRITE = [
  "controller/src/certificates/", // the two Secrets of the policy stream, by name
  "controller/src/leader/lease.ts",
  "controller/src/status/event-recorder.ts",
  "controller/src/status/status-api.ts",
];

describe("what the controller writes", () => {
  securityTest(
    attack("M04", "M", {
      source: "CVE-2022-21701",
      title: "an object that makes the controller write where its author may not",
      outcome: "its code writes status, Leases, events and its own Secrets, and deletes nothing",
    }),
    () => {
      const text = (file: string) => readFileSync(join(ROOT, file), "utf8");
      const writers = repositoryFiles(ROOT)
        .filter((file) => /^controller\/src\/.*\.ts$/.test(file) && !/\.test\.ts$|\/testdata\//.test(file))
        .filter((file) => /method: "(?:POST|PUT|PATCH|DELETE)"/.test(text(file)));
      expect(writers).not.toHaveLength(0);
      expect(writers.filter((file) => !MAY_WRITE.some((allowed) => file.startsWith(allowed)))).toEqual([]);
      expect(writers.filter((file) => text(file).includes('"DELETE"'))).toEqual([]);
    },
  );

  securityTest(
    attack("M06", "M", {
      source: "noise",
      title: "an object that turns valid and invalid 40 times a second, in a cluster",
      outcome: "at most five events and a count, one write of its status a second; others are written at once",
    }),
    async () => {
      const { events, ownWrites, otherWrites, otherDelayMs } = await flapObject(40);
      expect(events).toBeGreaterThan(0);
      expect(events).toBeLessThanOrEqual(5);
      expect(ownWrites).toBeLessThanOrEqual(13);
      expect(otherWrites).toBe(1);
      expect(otherDelayMs).toBeLessThan(2_000);
    },
    30_000,
  );
});
