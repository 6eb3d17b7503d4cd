import type { ErrorObject } from "ajv";
import type { FieldError } from "./object.ts";

/** An object can be made of nothing but faults, and nobody reads them all. */
const MAX_ERRORS = 50;

/** Turns what Ajv found into errors in Kubernetes' words, without doubles, sorted by path. @param root the validated document */
export function fieldErrors(root: unknown, errors: readonly ErrorObject[]): readonly FieldError[] {
  const found = new Map<string, FieldError>();
  const rest: FieldError[] = [];
  for (const error of errors) {
    // The parts of a oneOf say nothing by themselves; the oneOf's own error names the fields.
    if (/\/oneOf\/\d/.test(error.schemaPath)) continue;
    if (found.size === MAX_ERRORS) {
      rest.push({ path: "", message: "and more like these" });
      break;
    }
    const path = fieldPath(root, [...segmentsOf(error.instancePath), ...namedField(error)]);
    const message = messageOf(error);
    found.set(`${path}: ${message}`, { path, message });
  }
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true })).concat(rest);
}

/** Writes a path: `spec.rules[0].when[0].key`, `metadata.labels[a/b]`. Reads `root` to tell list positions from map keys. */
export function fieldPath(root: unknown, segments: readonly string[]): string {
  let path = "";
  let value = root;
  for (const segment of segments) {
    const isPlain = !Array.isArray(value) && /^[A-Za-z_]\w*$/.test(segment);
    path += isPlain ? `${path === "" ? "" : "."}${segment}` : `[${segment}]`;
    value = typeof value === "object" && value !== null ? Reflect.get(value, segment) : undefined;
  }
  return path;
}

function segmentsOf(jsonPointer: string): readonly string[] {
  return jsonPointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Ajv reports these two at the object; the reader looks for the field. */
function namedField({ keyword, params }: ErrorObject): readonly string[] {
  if (keyword === "additionalProperties") return [String(params["additionalProperty"])];
  return keyword === "required" ? [String(params["missingProperty"])] : [];
}

function messageOf({ keyword, params, parentSchema, data, message }: ErrorObject): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "additionalProperties":
      return "unknown field";
    case "required":
      return "required field is missing";
    case "type":
      return typeMessage(String(parentSchema?.["type"]), data);
    case "enum":
      return `unsupported value ${shown(data)}: must be ${[params["allowedValues"]].flat().join(", ")}`;
    case "oneOf":
      return `only one of ${alternatives(parentSchema?.["oneOf"]).join(", ")} can be set`;
    case "pattern":
      return `${shown(data)} does not match ${String(params["pattern"])}`;
    case "minLength":
      return limit === "1" ? "must not be empty" : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
    case "minProperties":
      return `must have at least ${limit} entries`;
    case "maxItems":
    case "maxProperties":
      return `must have at most ${limit} entries`;
    case "minimum":
      return `must be at least ${limit}`;
    case "maximum":
      return `must be at most ${limit}`;
    case "format":
      return params["format"] === "byte" ? "must be base64" : `must fit the format ${String(params["format"])}`;
    default:
      return message ?? "is not valid";
  }
}

function typeMessage(expected: string, data: unknown): string {
  const found = data === null ? "null" : Array.isArray(data) ? "array" : typeof data;
  // Unquoted true, 1 or 1.0 in YAML is no string.
  const hint = expected === "string" && (found === "number" || found === "boolean") ? `; write "${String(data)}"` : "";
  return `must be of type ${expected}, found ${found}${hint}`;
}

function shown(data: unknown): string {
  const text = JSON.stringify(data) ?? "";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** The field names of `oneOf: [{not: ...}, {required: [a]}, {required: [b]}]`, the form that unions take in crds/. */
function alternatives(oneOf: unknown): readonly string[] {
  if (!Array.isArray(oneOf)) return [];
  return oneOf.flatMap((part) => (Array.isArray(part?.required) ? part.required.map(String) : []));
}
