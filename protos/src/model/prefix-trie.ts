interface Node<Value> {
  /** The characters between the parent and this node; empty at the root only. */
  label: string;
  /** By the first character of their labels. */
  readonly children: Map<number, Node<Value>>;
  value: Value | undefined;
}

/** Values by prefix, or by suffix. A look-up walks along the text once, whatever the number of entries. */
export class PrefixTrie<Value> {
  readonly #root: Node<Value> = newNode("");
  readonly #end: "start" | "end";

  /** @param end of a text that the keys stand at */
  constructor(end: "start" | "end") {
    this.#end = end;
  }

  /** The value of a key, made when it is new. */
  at(key: string, create: () => Value): Value {
    const node = this.#nodeOf(this.#end === "start" ? key : reversed(key));
    node.value ??= create();
    return node.value;
  }

  /** Adds the values of all keys that the text starts (or ends) with to a list. */
  collect(text: string, found: Value[]): void {
    const step = this.#end === "start" ? 1 : -1;
    let at = this.#end === "start" ? 0 : text.length - 1;
    let node: Node<Value> | undefined = this.#root;
    while (node !== undefined) {
      const { label } = node;
      for (let i = 0; i < label.length; i++, at += step) if (label.charCodeAt(i) !== text.charCodeAt(at)) return;
      if (node.value !== undefined) found.push(node.value);
      node = node.children.get(text.charCodeAt(at)); // past the end of the text it is NaN, which is no key
    }
  }

  #nodeOf(key: string): Node<Value> {
    let node = this.#root;
    let rest = key;
    while (rest !== "") {
      const child: Node<Value> | undefined = node.children.get(rest.charCodeAt(0));
      if (child === undefined) {
        const leaf = newNode<Value>(rest);
        node.children.set(rest.charCodeAt(0), leaf);
        return leaf;
      }
      const common = commonLength(child.label, rest);
      node = common === child.label.length ? child : split(node, child, common);
      rest = rest.slice(common);
    }
    return node;
  }
}

/** Puts a node between a parent and its child. */
function split<Value>(parent: Node<Value>, child: Node<Value>, length: number): Node<Value> {
  const between = newNode<Value>(child.label.slice(0, length));
  parent.children.set(between.label.charCodeAt(0), between);
  child.label = child.label.slice(length);
  between.children.set(child.label.charCodeAt(0), child);
  return between;
}

function newNode<Value>(label: string): Node<Value> {
  return { label, children: new Map(), value: undefined };
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** By code unit: what is compared are code units, too. */
function reversed(text: string): string {
  return text.split("").toReversed().join("");
}
