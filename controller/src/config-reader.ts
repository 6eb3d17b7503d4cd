/** Reads a tree of settings of unknown shape: typed values out, complaints and unread fields kept. */
export interface ConfigReader {
  has(name: string): boolean;
  /** A YAML number is accepted as text. */
  text(name: string, fallback: string): string;
  /** One of the choices. */
  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice;
  texts(name: string): readonly string[];
  textMap(name: string): readonly { readonly name: string; readonly value: string }[];
  integer(name: string, fallback: number, min: number, max: number): number;
  boolean(name: string, fallback: boolean): boolean;
  /** A nested object; a missing one reads as empty. */
  object(name: string): ConfigReader;
  /** A list of nested objects. */
  objects(name: string): readonly ConfigReader[];
  /** Complains about a field. */
  fail(name: string, message: string): void;
  /** Whether nothing has been complained about at or below this object. */
  isValid(): boolean;
}

/** One thing that is wrong with a file of settings. */
export interface ConfigError {
  /** `extensionProviders[0].envoyExtAuthzGrpc.port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A reader of the whole tree, with what it found while being used. */
export interface ConfigTree {
  readonly root: ConfigReader;
  readonly errors: readonly ConfigError[];
  /** Paths of the fields that nobody asked for, so far; call it when everything has been read. */
  unread(): readonly string[];
}

/** @param document a parsed file; null reads as empty */
export function readConfigTree(document: unknown): ConfigTree {
  const errors: ConfigError[] = [];
  const nodes: { readonly path: string; readonly value: Fields; readonly asked: Set<string> }[] = [];
  const fail = (path: string, message: string) => {
    errors.push({ path, message });
  };

  function reader(path: string, value: unknown): ConfigReader {
    const fields = toFields(value);
    if (fields === null) fail(path, "must be an object");
    const node = { path, value: fields ?? {}, asked: new Set<string>() };
    nodes.push(node);
    const at = (name: string) => (path === "" ? name : `${path}.${name}`);
    const get = (name: string): unknown => {
      node.asked.add(name);
      return Object.hasOwn(node.value, name) ? node.value[name] : undefined;
    };
    const list = (name: string): readonly unknown[] => {
      const found = get(name) ?? [];
      if (Array.isArray(found)) return found;
      fail(at(name), "must be a list");
      return [];
    };
    const asText = (found: unknown, where: string): string => {
      if (typeof found === "string") return found;
      if (typeof found === "number") return String(found);
      fail(where, "must be a text");
      return "";
    };
    return {
      has: (name) => get(name) != null,
      text: (name, fallback) => asText(get(name) ?? fallback, at(name)),
      choice: (name, choices, fallback) => {
        const found = get(name) ?? fallback;
        const choice = choices.find((candidate) => candidate === found);
        if (choice === undefined) fail(at(name), `must be one of ${choices.join(", ")}`);
        return choice ?? fallback;
      },
      texts: (name) => list(name).map((entry, i) => asText(entry, `${at(name)}[${i}]`)),
      textMap: (name) =>
        Object.entries(toFields(get(name)) ?? {}).map(([key, entry]) => ({
          name: key,
          value: asText(entry, at(`${name}.${key}`)),
        })),
      integer: (name, fallback, min, max) => {
        const found = get(name) ?? fallback;
        if (typeof found === "number" && Number.isInteger(found) && found >= min && found <= max) return found;
        fail(at(name), `must be a whole number of ${min}-${max}`);
        return fallback;
      },
      boolean: (name, fallback) => {
        const found = get(name) ?? fallback;
        if (typeof found === "boolean") return found;
        fail(at(name), "must be true or false");
        return fallback;
      },
      object: (name) => reader(at(name), get(name)),
      objects: (name) => list(name).map((entry, i) => reader(`${at(name)}[${i}]`, entry)),
      fail: (name, message) => fail(at(name), message),
      isValid: () => !errors.some((error) => error.path === path || error.path.startsWith(`${path}.`)),
    };
  }

  const unread = () =>
    nodes.flatMap(({ path, value, asked }) =>
      Object.keys(value)
        .filter((name) => !asked.has(name))
        .map((name) => (path === "" ? name : `${path}.${name}`)),
    );
  return { root: reader("", document), errors, unread };
}

type Fields = Readonly<Record<string, unknown>>;

/** @returns null when the value is no object */
function toFields(value: unknown): Fields | null {
  if (value == null) return {};
  return typeof value === "object" && !Array.isArray(value) ? { ...value } : null;
}
