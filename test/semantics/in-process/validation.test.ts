import { expect, it } from "vitest";
import { translateCaseObject } from "../../conformance/in-process.ts";
import { type LoadedVerdict, loadVerdicts } from "../load-rows.ts";

it.each((await loadVerdicts()).map((loaded) => ({ ...loaded.verdict, loaded })))("$id $says", ({ loaded }) => {
  const { refused = [], warned = [] } = loaded.verdict;
  expect(verdictOn(loaded)).toEqual({ accepted: refused.length === 0, refused, warned });
});

function verdictOn({ object }: LoadedVerdict) {
  const reports = translateCaseObject(object).map(({ report }) => report);
  const found = reports.flatMap(({ diagnostics }) => diagnostics);
  const linesOf = (reason: "Invalid" | "Warning") =>
    found.filter((diagnostic) => diagnostic.reason === reason).map(({ path, message }) => `${path}: ${message}`);
  return {
    accepted: reports.every(({ accepted }) => accepted),
    refused: linesOf("Invalid"),
    warned: linesOf("Warning"),
  };
}
