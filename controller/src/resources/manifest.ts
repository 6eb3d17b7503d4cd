import { objectKey, type Problem } from "./object.ts";
import type { StoredResource } from "./store.ts";
import { type DocumentContent, parseDocument } from "./yaml-document.ts";
import { type Excerpt, locateField } from "./yaml-location.ts";

/** What one file holds. */
export interface Manifests {
  /** In the order of the file; the same object may occur twice. */
  readonly resources: readonly StoredResource[];
  /** What is wrong besides the field errors of invalid objects. */
  readonly problems: readonly Problem[];
  /** Whether every object that is meant for us is among `resources`; false after a syntax error. */
  readonly isComplete: boolean;
  /** Objects of other APIs and kinds, which are skipped: `apps/v1 Deployment`. */
  readonly foreign: readonly string[];
}

/**
 * Reads Kubernetes objects from YAML or JSON: several documents, and `List` objects.
 * YAML 1.2 core schema, so `yes` is a text. Duplicate keys, unknown tags and alias bombs are errors.
 * @param file how messages name the text
 */
export function parseManifests(text: string, file: string): Manifests {
  return createManifestParser(file)(text);
}

/** Makes a `parseManifests` for one file, that reads only the documents again which the last call did not see. */
export function createManifestParser(file: string): (text: string) => Manifests {
  let known: ReadonlyMap<string, DocumentContent> = new Map();
  return (text) => {
    const seen = new Map<string, DocumentContent>();
    const parts = splitDocuments(text).map(({ text, firstLine }) => {
      const content = seen.get(text) ?? known.get(text) ?? parseDocument(text);
      seen.set(text, content);
      return gather(content, { file, text, firstLine });
    });
    known = seen;
    return {
      resources: parts.flatMap((part) => part.resources),
      problems: parts.flatMap((part) => part.problems),
      isComplete: parts.every((part) => part.isComplete),
      foreign: parts.flatMap((part) => part.foreign),
    };
  };
}

/** Cuts at lines that begin with `---`: these end a document wherever they stand, in block and quoted texts too (YAML 1.2, 9.1.2). */
function splitDocuments(text: string): readonly { readonly text: string; readonly firstLine: number }[] {
  let firstLine = 1;
  return text.split(/^(?=---(?:\s|$))/m).map((part) => {
    const document = { text: part, firstLine };
    firstLine += part.split("\n").length - 1;
    return document;
  });
}

function gather(content: DocumentContent, excerpt: Excerpt): Manifests {
  const resources: StoredResource[] = [];
  const problems: Problem[] = content.faults.map(({ line, message }) =>
    problem(`${excerpt.file}:${excerpt.firstLine + line - 1}`, "", message),
  );
  const foreign: string[] = [];
  let isComplete = problems.length === 0;
  for (const { parsed, prefix } of content.objects) {
    const origin = {
      locate: (path: string) => locateField(excerpt, [prefix, path].filter((part) => part !== "").join(".")),
    };
    switch (parsed.kind) {
      case "valid":
        resources.push({ kind: "valid", key: objectKey(parsed.object), object: parsed.object, origin });
        break;
      case "invalid":
        resources.push({ kind: "invalid", key: objectKey(parsed.object), object: parsed.object, origin });
        break;
      case "foreign":
        foreign.push(parsed.what);
        break;
      case "unrelated":
        problems.push({ ...problem(origin.locate(""), "", "skipped: neither apiVersion nor kind"), level: "warn" });
        break;
      case "unidentified":
        isComplete = false;
        problems.push(...parsed.errors.map(({ path, message }) => problem(origin.locate(path), path, message)));
    }
  }
  return { resources, problems, isComplete, foreign };
}

function problem(where: string, path: string, message: string): Problem {
  return { level: "error", where, object: null, path, message };
}
