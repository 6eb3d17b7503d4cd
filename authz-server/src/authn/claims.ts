import { isJsonList, type JsonMembers, type JsonValue, valueAt } from "./json.ts";

/** The claims of the one token that was accepted, as policies see them. */
export class Claims {
  readonly #payload: JsonMembers;
  readonly #spaceDelimited: ReadonlySet<string>;

  /** @param spaceDelimited top-level claims whose text is a list of words */
  constructor(payload: JsonMembers, spaceDelimited: ReadonlySet<string>) {
    this.#payload = payload;
    this.#spaceDelimited = spaceDelimited;
  }

  /** The value at a path; a space-delimited claim with at least one word is the list of its words. */
  at(path: readonly string[]): JsonValue | undefined {
    const value = valueAt(this.#payload, path);
    if (typeof value !== "string" || path.length !== 1 || !this.#spaceDelimited.has(path[0] ?? "")) return value;
    const words = value.split(" ").filter((word) => word !== "");
    return words.length > 0 ? words : value;
  }

  /** Istio's value-or-list match: a string that matches, or a list with at least one string that does. Nothing else ever matches. */
  matches(path: readonly string[], test: (text: string) => boolean): boolean {
    const value = this.at(path);
    if (typeof value === "string") return test(value);
    return isJsonList(value) && value.some((element) => typeof element === "string" && test(element));
  }

  /** A claim that must be a string itself: `iss` and `sub` of a request principal. */
  text(name: string): string | undefined {
    const value = this.#payload.get(name);
    return typeof value === "string" ? value : undefined;
  }
}
