import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { parseManifests } from "../resources/manifest.ts";
import { formatDiagnostic, type Translated, translateInvalid, translateObject } from "./index.ts";

const testdata = join(import.meta.dirname, "testdata");
const names = readdirSync(testdata)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

const context = {
  dnsSuffix: "svc.cluster.local",
  hash: (text: string) => createHash("sha256").update(text).digest("hex"),
};

describe("translation gives the golden output", () => {
  test.each(names)("%s", (name) => {
    const input = readFileSync(join(testdata, `${name}.in.yaml`), "utf8");
    const manifests = parseManifests(input, `${name}.in.yaml`);
    expect(manifests.problems).toEqual([]);
    const actual = manifests.resources.map((resource) =>
      render(
        resource.kind === "valid"
          ? translateObject(resource.object, context)
          : translateInvalid(resource.object, context),
      ),
    );
    const text = stringify(actual, { lineWidth: 0, aliasDuplicateObjects: false });
    const golden = join(testdata, `${name}.out.yaml`);
    // biome-ignore lint/style/noProcessEnv: set by `make golden` only; a flag of vitest can't reach a test
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, "utf8"));
  });

  test("for every golden file there is an input", () => {
    const outputs = readdirSync(testdata).filter((file) => file.endsWith(".out.yaml"));
    expect(outputs.map((file) => file.slice(0, -".out.yaml".length)).sort()).toEqual([...names].sort());
  });
});

/** The report with its diagnostics as people read them. */
function render({ resources, report }: Translated) {
  const { ref, accepted, reason, diagnostics } = report;
  return {
    report: {
      object: `${ref.kind} ${ref.namespace}/${ref.name}`,
      accepted,
      reason,
      diagnostics: diagnostics.map((diagnostic) => `${diagnostic.reason}: ${formatDiagnostic(ref, diagnostic)}`),
    },
    resources,
  };
}
