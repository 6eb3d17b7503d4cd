import { PrefixTrie } from "@gatehouse/protos";
import { TemplateTrie } from "./template-trie.ts";

/** What a text is compared with, as it stands in a request: bytes or characters, letters folded. */
export interface TextKey {
  readonly kind: "exact" | "prefix" | "suffix" | "template";
  readonly value: string;
}

/** Values by text patterns. A look-up costs the same whatever the number of patterns that do not fit. */
export class TextIndex<Value> {
  readonly #exact = new Map<string, Value>();
  #prefixes: PrefixTrie<Value> | undefined;
  #suffixes: PrefixTrie<Value> | undefined;
  #templates: TemplateTrie<Value> | undefined;

  /** The value of a pattern, made when it is new. */
  at({ kind, value }: TextKey, create: () => Value): Value {
    switch (kind) {
      case "exact":
        return this.#exactAt(value, create);
      case "prefix":
        this.#prefixes ??= new PrefixTrie("start");
        return this.#prefixes.at(value, create);
      case "suffix":
        this.#suffixes ??= new PrefixTrie("end");
        return this.#suffixes.at(value, create);
      case "template":
        this.#templates ??= new TemplateTrie();
        return this.#templates.at(value, create);
    }
  }

  /** Adds the values of all patterns that fit (of templates: that may fit) to a list. */
  collect(text: string, found: Value[]): void {
    const exact = this.#exact.get(text);
    if (exact !== undefined) found.push(exact);
    this.#prefixes?.collect(text, found);
    this.#suffixes?.collect(text, found);
    this.#templates?.collect(text, found);
  }

  #exactAt(text: string, create: () => Value): Value {
    let value = this.#exact.get(text);
    if (value === undefined) {
      value = create();
      this.#exact.set(text, value);
    }
    return value;
  }
}
