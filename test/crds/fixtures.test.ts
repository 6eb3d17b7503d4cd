import { readdirSync, readFileSync } from "node:fs";
import { formatProblem, parseManifests } from "@gatehouse/controller/resources";
import { describe, expect, it } from "vitest";

describe("the schema accepts", () => {
  it.each(filesIn("valid"))("%s", (file) => {
    const { resources, problems } = parseManifests(textOf("valid", file), file);
    expect(problems).toEqual([]);
    expect(resources.map((resource) => resource.object)).toEqual([expect.not.objectContaining({ errors: [] })]);
    expect(resources.map(({ kind, object }) => (kind === "invalid" ? object.errors : kind))).toEqual(["valid"]);
  });
});

describe("the schema refuses", () => {
  // Each file begins with the errors it must give, as comments.
  it.each(filesIn("invalid"))("%s", (file) => {
    const text = textOf("invalid", file);
    const expected = [...text.matchAll(/^# error: (.*)$/gm)].map((match) => match[1]);
    expect(errorsOf(text, file)).toEqual(expected);
  });
});

function errorsOf(text: string, file: string): readonly string[] {
  const { resources, problems } = parseManifests(text, file);
  const fieldProblems = resources.flatMap(({ kind, object, origin }) =>
    kind === "valid"
      ? []
      : object.errors.map(({ path, message }) => ({
          level: "error" as const,
          where: origin.locate(path),
          object,
          path,
          message,
        })),
  );
  return [...fieldProblems, ...problems].map(formatProblem);
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(new URL(`${directory}/`, import.meta.url)).sort();
}

function textOf(directory: string, file: string): string {
  return readFileSync(new URL(`${directory}/${file}`, import.meta.url), "utf8");
}
