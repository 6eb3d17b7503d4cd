import type { CrdSchema } from "./validation-schema.ts";

/** One interface to be written: a flat JSON schema whose properties carry their type as text (`tsType`). */
export interface TypeDefinition {
  readonly name: string;
  readonly schema: {
    readonly type: "object";
    readonly description?: string;
    readonly additionalProperties: false;
    readonly required: string[];
    readonly properties: Record<string, { readonly tsType: string; readonly description?: string }>;
  };
}

/**
 * One definition per titled object, in the order of first use.
 * @throws when an object with properties has no title, or when one title stands for two different objects
 */
export function definitionsOf(roots: readonly CrdSchema[]): readonly TypeDefinition[] {
  const definitions = new Map<string, { readonly source: string; definition: TypeDefinition; uses: number }>();
  for (const root of roots) typeText(root);
  // The description of a shared type belongs to the place of use, not to the type.
  return [...definitions.values()].map(({ definition, uses }) => {
    const { description, ...schema } = definition.schema;
    return uses > 1 || description === undefined ? { ...definition, schema } : definition;
  });

  function typeText(schema: CrdSchema): string {
    return schema.nullable === true ? `${plainTypeText(schema)} | null` : plainTypeText(schema);
  }

  function plainTypeText(schema: CrdSchema): string {
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    switch (schema.type) {
      case "object":
        if (schema.properties) return define(schema, schema.properties);
        if (schema.additionalProperties) return `Readonly<Record<string, ${typeText(schema.additionalProperties)}>>`;
        return "Readonly<Record<string, unknown>>";
      case "array":
        return `readonly ${typeText(schema.items ?? {})}[]`;
      case "integer":
      case "number":
        return "number";
      case "string":
      case "boolean":
        return schema.type;
      default:
        return "unknown";
    }
  }

  function define(schema: CrdSchema, properties: Readonly<Record<string, CrdSchema>>): string {
    const { title: name, description, ...rest } = schema;
    if (name === undefined) throw new Error(`an object has no title: ${Object.keys(properties).join(", ")}`);
    const source = JSON.stringify(rest);
    const known = definitions.get(name);
    if (known) {
      if (known.source !== source) throw new Error(`${name} stands for two different objects`);
      known.uses += 1;
      return name;
    }
    const entry = { source, uses: 1, definition: { name, schema: flatSchema({}, []) } };
    definitions.set(name, entry); // before the properties, so that outer types come first
    const types = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [
        key,
        { tsType: typeText(value), ...(value.description !== undefined && { description: value.description }) },
      ]),
    );
    const flat = flatSchema(types, schema.required ?? []);
    entry.definition = { name, schema: description === undefined ? flat : { ...flat, description } };
    return name;
  }
}

function flatSchema(
  properties: TypeDefinition["schema"]["properties"],
  required: readonly string[],
): TypeDefinition["schema"] {
  return { type: "object", additionalProperties: false, required: [...required], properties };
}
