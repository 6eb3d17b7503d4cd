import { ResourceEncodeError } from "./errors.ts";

/** Returns an integer that a uint32 field can hold; protobufjs would wrap or cut any other. */
export function uint32(value: number, field: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw outOfRange(field, value, "an integer from 0 to 4294967295");
}

/** Returns an integer that a uint64 field and a JavaScript number can both hold. */
export function uint64(value: number, field: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw outOfRange(field, value, "an integer from 0 to 2^53-1");
}

/** Returns an integer that an int64 field and a JavaScript number can both hold. */
export function int64(value: number, field: string): number {
  if (Number.isSafeInteger(value)) return value;
  throw outOfRange(field, value, "an integer within 2^53-1");
}

/** Returns a number that is neither NaN nor infinite. */
export function double(value: number, field: string): number {
  if (Number.isFinite(value)) return value;
  throw outOfRange(field, value, "a finite number");
}

function outOfRange(field: string, value: number, allowed: string): ResourceEncodeError {
  return new ResourceEncodeError("NUMBER_OUT_OF_RANGE", `${field}: ${value} is not ${allowed}`);
}
