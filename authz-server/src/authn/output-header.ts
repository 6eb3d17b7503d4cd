import { type JsonMembers, type JsonValue, stringifyJson, valueAt } from "./json.ts";

const TWO_TO_64 = 2 ** 64;

/**
 * A claim as Envoy writes it to a header: texts verbatim, whole numbers in decimal, other numbers with six digits, lists and objects
 * as base64 of their JSON.
 * @returns undefined when nothing is to be written: absent, null, empty, or a text that would break the header
 */
export function claimToHeaderValue(payload: JsonMembers, path: readonly string[]): string | undefined {
  const value = valueAt(payload, path);
  if (value === undefined || value === null || value === "") return undefined;
  switch (typeof value) {
    case "string":
      return hasControlCharacter(value) ? undefined : value;
    case "boolean":
      return String(value);
    case "number":
      return formatNumber(value);
    default:
      return Buffer.from(stringifyJson(value satisfies JsonValue)).toString("base64");
  }
}

function formatNumber(value: number): string {
  if (!Number.isInteger(value)) return value.toFixed(6);
  const digits = BigInt(value).toString();
  return value >= 0 && value < TWO_TO_64 ? digits : `${digits}.000000`;
}

// CR and LF would end the header, NUL and others make Envoy refuse the whole answer.
function hasControlCharacter(text: string): boolean {
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}
