interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  /** Below `{*}`. */
  star: Node<Value> | undefined;
  /** Of templates that end here. */
  end: Value | undefined;
  /** Of templates that go on from here with something that is not looked at: `{**}`, or an operator inside a segment. */
  rest: Value | undefined;
}

/** Values by path template, found by segments. What is found may fit; what is not found does not. */
export class TemplateTrie<Value> {
  readonly #root: Node<Value> = newNode();

  /** The value of a template, made when it is new. */
  at(template: string, create: () => Value): Value {
    let node = this.#root;
    for (const [depth, segment] of template.split("/").entries()) {
      if (depth === MAX_DEPTH || (segment !== "{*}" && OPERATOR.test(segment))) {
        node.rest ??= create();
        return node.rest;
      }
      node = segment === "{*}" ? starOf(node) : childOf(node, segment);
    }
    node.end ??= create();
    return node.end;
  }

  /** Adds the values of all templates that may fit the path to a list. */
  collect(path: string, found: Value[]): void {
    collectFrom(this.#root, path, 0, found);
  }
}

/** Segments after this many are not looked at. */
const MAX_DEPTH = 64;

const OPERATOR = /\{\*\*?\}/;

function collectFrom<Value>(node: Node<Value>, path: string, start: number, found: Value[]): void {
  if (node.rest !== undefined) found.push(node.rest);
  const slash = path.indexOf("/", start);
  const end = slash < 0 ? path.length : slash;
  for (const next of [node.children.get(path.slice(start, end)), node.star]) {
    if (next === undefined) continue;
    if (slash >= 0) collectFrom(next, path, end + 1, found);
    else if (next.end !== undefined) found.push(next.end);
  }
}

function newNode<Value>(): Node<Value> {
  return { children: new Map(), star: undefined, end: undefined, rest: undefined };
}

function starOf<Value>(node: Node<Value>): Node<Value> {
  node.star ??= newNode();
  return node.star;
}

function childOf<Value>(node: Node<Value>, segment: string): Node<Value> {
  let child = node.children.get(segment);
  if (child === undefined) {
    child = newNode();
    node.children.set(segment, child);
  }
  return child;
}
