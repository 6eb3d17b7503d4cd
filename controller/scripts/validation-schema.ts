/** A structural schema of a CustomResourceDefinition, as far as ours use it. */
export interface CrdSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: CrdSchema;
  readonly items?: CrdSchema;
  readonly enum?: readonly string[];
  readonly nullable?: boolean;
  readonly [keyword: string]: unknown;
}

/** The schema without texts for people, and with fields refused that it does not name (an API server would drop them). */
export function validationSchema(schema: CrdSchema): Readonly<Record<string, unknown>> {
  const { title: _title, description: _description, properties, additionalProperties, items, ...rest } = schema;
  return {
    ...rest,
    ...(properties && { properties: mapValues(properties, validationSchema), additionalProperties: false }),
    ...(additionalProperties && { additionalProperties: validationSchema(additionalProperties) }),
    ...(items && { items: validationSchema(items) }),
  };
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
