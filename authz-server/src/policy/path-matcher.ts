import type { PathMatch, StringMatch } from "@gatehouse/protos";
import { toByteString } from "../http-request.ts";
import { compileTemplate } from "./path-template.ts";
import { compileAnyOf, type TextTest } from "./string-matcher.ts";

/** Tests a path without query against alternatives. @param wide see compileTemplate */
export function compilePaths(matches: readonly PathMatch[], wide: boolean): TextTest {
  const texts: Exclude<StringMatch, { kind: "regex" }>[] = [];
  const templates: TextTest[] = [];
  for (const match of matches) {
    if (match.kind === "template") templates.push(compileTemplate(toByteString(match.value), wide));
    else texts.push(match);
  }
  const isText = compileAnyOf(texts, toByteString);
  if (templates.length === 0) return isText;
  return (path) => isText(path) || templates.some((test) => test(path));
}
