import fc, { type Arbitrary } from "fast-check";
import protobuf from "protobufjs";

/**
 * Plain objects that protobufjs can write as messages of a type: any fields, at most one member of each oneof.
 * @param depth how many levels of messages there may be below this one
 */
export function messages(type: protobuf.Type, depth = 6): Arbitrary<Record<string, unknown>> {
  if (isMapEntry(type)) return members(type.fieldsArray, depth, type.fieldsArray); // a map has no halves of entries
  const oneofs = type.oneofsArray.map((oneof) =>
    fc.oneof(...oneof.fieldsArray.map((field) => members([field], depth))),
  );
  const others = members(
    type.fieldsArray.filter((field) => field.partOf === null),
    depth,
  );
  return fc.tuple(others, ...oneofs).map((parts) => Object.assign({}, ...parts));
}

function members(
  fields: readonly protobuf.Field[],
  depth: number,
  required: readonly protobuf.Field[] = [],
): Arbitrary<Record<string, unknown>> {
  const values = fields.filter((field) => fits(field, depth)).map((field) => [field.name, fieldValue(field, depth)]);
  const options = { requiredKeys: required.map((field) => field.name), noNullPrototype: true };
  return fc.record<Record<string, unknown>>(Object.fromEntries(values), options);
}

/** Whether a field can be there without messages getting too deep. */
function fits(field: protobuf.Field, depth: number): boolean {
  const type = field.resolve().resolvedType;
  if (!(type instanceof protobuf.Type)) return true;
  return depth > 0 && (!isMapEntry(type) || type.fieldsArray.every((part) => fits(part, depth - 1)));
}

function fieldValue(field: protobuf.Field, depth: number): Arbitrary<unknown> {
  const type = field.resolvedType;
  const value =
    type === null ? scalar(field.type) : type instanceof protobuf.Enum ? member(type) : messages(type, depth - 1);
  if (field instanceof protobuf.MapField)
    return fc.dictionary(fc.string(), value, { maxKeys: 3, noNullPrototype: true });
  if (!field.repeated) return value;
  if (isMapEntry(type)) return fc.uniqueArray(value, { maxLength: 3, selector: (entry) => Object(entry).key });
  return fc.array(value, { maxLength: 3 });
}

/** Whether a message is what the wire has for one pair of a map. */
export function isMapEntry(type: protobuf.ReflectionObject | null): boolean {
  return type instanceof protobuf.Type && type.parent instanceof protobuf.Type && type.name.endsWith("Entry");
}

function member(type: protobuf.Enum): Arbitrary<number> {
  return fc.constantFrom(...Object.values(type.values));
}

function scalar(type: string): Arbitrary<unknown> {
  switch (type) {
    case "string":
      return fc.string({ unit: "grapheme" });
    case "bytes":
      return fc.uint8Array();
    case "bool":
      return fc.boolean();
    case "double":
      return fc.double({ noNaN: true });
    case "float":
      return fc.float({ noNaN: true });
    case "int32":
      return fc.integer();
    case "uint32":
      return fc.nat();
    case "int64":
      return fc.maxSafeInteger();
    case "uint64":
      return fc.maxSafeNat();
    default:
      throw new Error(`no arbitrary for ${type}`);
  }
}
