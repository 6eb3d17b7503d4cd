import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { repositoryFiles } from "../repository/files.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("unit");

describe("what is shipped", () => {
  securityTest(
    attack("K13", "M", {
      source: "CVE-2020-1764",
      title: "keys, passwords or tokens that are shipped",
      outcome: "none outside of test data and the demo",
    }),
    async () => {
      const root = new URL("../..", import.meta.url).pathname;
      const shipped = repositoryFiles(root).filter(
        (path) =>
          /^(deploy|crds|cli|controller|authz-server|protos|docs|README)/.test(path) &&
          !/\.test\.ts$|testdata|^deploy\/demo\//.test(path),
      );
      expect(shipped.length).toBeGreaterThan(100);
      const secrets =
        /-----BEGIN [A-Z ]*PRIVATE KEY|"(d|dp|dq|qi|k)" *: *"[\w-]{20,}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/;
      const found: string[] = [];
      for (const path of shipped) if (secrets.test(await readFile(join(root, path), "utf8"))) found.push(path);
      expect(found).toEqual([]);
    },
  );
});
