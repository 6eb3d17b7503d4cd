/** One thing a user may set, by flag or in the configuration file. */
export interface Setting<Value> {
  /** One sentence with unit and default. */
  readonly doc: string;
  /** One letter: `H` makes `-H` another name of the flag. */
  readonly letter?: string;
  /** Stands for the value in the help, e.g. `PORT`; null for a switch. */
  readonly placeholder: string | null;
  /** Used when it is given nowhere; `undefined` makes it required. */
  readonly default: Value | undefined;
  /** The flag may be repeated, the file holds a list. */
  readonly isList: boolean;
  /** @param raw the text of the flag (texts of a list), or the value in the file */
  parse(raw: unknown): Parsed<Value>;
}

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

/** How each member of `Values` is set. Keys are those of the file; the flag is the same in kebab case. */
export type SettingTable<Values> = { readonly [Key in keyof Values]: Setting<Values[Key]> };

/** Any text that is not empty. @param defaultValue null: nothing, or what `doc` says */
export function text<Default extends string | null>(
  doc: string,
  placeholder: string,
  defaultValue: Default,
): Setting<string | Default> {
  return { ...requiredText(doc, placeholder), doc: withDefault(doc, defaultValue), default: defaultValue };
}

/** Any text that is not empty; there is no default. */
export function requiredText(doc: string, placeholder: string): Setting<string> {
  return {
    doc: `${doc} (required)`,
    placeholder,
    default: undefined,
    isList: false,
    parse: (raw) => (typeof raw === "string" && raw !== "" ? { ok: true, value: raw } : no(raw, "not a text")),
  };
}

/** Several texts. */
export function texts(doc: string, placeholder: string): Setting<readonly string[]> {
  return {
    doc: `${doc} (may be repeated; default: none)`,
    placeholder,
    default: [],
    isList: true,
    parse(raw) {
      if (!Array.isArray(raw)) return no(raw, "not a list");
      const values = raw.filter((item) => typeof item === "string");
      return values.length === raw.length ? { ok: true, value: values } : no(raw, "not a list of texts");
    },
  };
}

/** A TCP port. */
export function port(doc: string, defaultValue: number): Setting<number> {
  return wholeNumber(`${doc}; 0 takes a free one`, "PORT", { min: 0, max: 65_535, default: defaultValue });
}

/** A whole number within bounds. `doc` says the unit. */
export function wholeNumber(
  doc: string,
  placeholder: string,
  bounds: { readonly min: number; readonly max: number; readonly default: number },
): Setting<number> {
  const { min, max } = bounds;
  return {
    doc: withDefault(doc, bounds.default),
    placeholder,
    default: bounds.default,
    isList: false,
    parse(raw) {
      const value = typeof raw === "string" && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
      if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
        return { ok: true, value };
      }
      return no(raw, `not a whole number from ${min} to ${max}`);
    },
  };
}

/** The same, with a default that is found out: null, and `doc` says which. */
export function wholeNumberOr(
  doc: string,
  placeholder: string,
  bounds: { readonly min: number; readonly max: number },
): Setting<number | null> {
  return { ...wholeNumber(doc, placeholder, { ...bounds, default: bounds.min }), doc, default: null };
}

/** One of a few words. */
export function choice<const Word extends string, const Default extends Word | null>(
  doc: string,
  words: readonly Word[],
  defaultValue: Default,
): Setting<Word | Default> {
  return {
    doc: withDefault(doc, defaultValue),
    placeholder: words.join("|"),
    default: defaultValue,
    isList: false,
    parse(raw) {
      const value = words.find((word) => word === String(raw));
      return value === undefined ? no(raw, `not one of ${words.join(", ")}`) : { ok: true, value };
    },
  };
}

/** On or off; off unless given. With `isOnByDefault` the flag is `--no-...`. */
export function onOff(doc: string, options?: { readonly isOnByDefault: boolean }): Setting<boolean> {
  const isOn = options?.isOnByDefault ?? false;
  return {
    doc: `${doc} (default: ${isOn ? "on" : "off"})`,
    placeholder: null,
    default: isOn,
    isList: false,
    parse: (raw) => (typeof raw === "boolean" ? { ok: true, value: raw } : no(raw, "not true or false")),
  };
}

function withDefault(doc: string, value: string | number | null): string {
  return value === null ? doc : `${doc} (default: ${value})`;
}

function no(raw: unknown, why: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message: `${JSON.stringify(raw)} is ${why}` };
}
