/**
 * Finds a text that has no UTF-8 form: half of a surrogate pair stands alone in it.
 * @param value a plain object, list or scalar without cycles
 * @returns the path of the first such text, such as `.rules[0].when[1].field`, or undefined
 */
export function findIllFormedText(value: unknown): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : "";
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const path = findIllFormedText(value[index]);
      if (path !== undefined) return `[${index}]${path}`;
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      const path = findIllFormedText(part);
      if (path !== undefined) return `.${name}${path}`;
    }
  }
  return undefined;
}
