import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test.each([
  [1024, 10_000, 768],
  [100, 10_000, 50],
  [1024, 768, null],
  [1024, 10, null],
])("of %i open files, %i connections are wanted: %j are what fits", (openFiles, wanted, fits) => {
  expect(fitUnder(openFiles, wanted)).toEqual({
    maxConnections: fits ?? wanted,
    warnings: fits === null ? [] : [{ maxConnections: fits, wanted, openFiles }],
  });
});

/** In a process with that limit. */
function fitUnder(openFiles: number, wanted: number): unknown {
  const script = `
    const { fitMaxConnections } = await import(${JSON.stringify(new URL("max-connections.ts", import.meta.url))});
    const warnings = [];
    const maxConnections = await fitMaxConnections(${wanted}, { warn: (fields) => warnings.push(fields) });
    process.stdout.write(JSON.stringify({ maxConnections, warnings }));
  `;
  const command = `ulimit -n ${openFiles}; exec "${process.execPath}" --conditions=source --input-type=module -`;
  return JSON.parse(execFileSync("sh", ["-c", command], { input: script, encoding: "utf8" }));
}
