import { invalid } from "./shape.ts";

/** Turns one literal union of the model to its enum and back. */
export interface EnumCodec<Model, Wire> {
  encode(value: Model): Wire;
  /** Throws ResourceDecodeError for the unspecified value and for those that this reader does not know. */
  decode(value: string, path: string): Model;
}

/** Makes the codec from a table of all values: model to wire. */
export function enumCodec<Model extends string, Wire extends string>(
  table: Readonly<Record<Model, Wire>>,
): EnumCodec<Model, Wire> {
  // Object.entries widens the keys; they are those of the table.
  const models = new Map<string, Model>(Object.entries(table).map(([model, wire]) => [wire as Wire, model as Model]));
  return {
    encode: (value) => table[value],
    decode: (value, path) => {
      const model = models.get(value);
      if (model === undefined) throw invalid(path, `is ${value}, which this reader does not know`);
      return model;
    },
  };
}
