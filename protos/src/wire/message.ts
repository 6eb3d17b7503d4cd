import { isUtf8 } from "node:buffer";
import protobuf from "protobufjs";
import { loadOptions, protoRoot } from "./load.ts";

/** Turns messages of one type to bytes and back. */
export interface MessageCodec<Input, Output> {
  /** The same message gives the same bytes: fields go by number, and there are no maps. Lenient: see `loadOptions`. */
  encode(message: Input): Uint8Array;
  /** Throws an Error for bytes that are no such message, texts that are no UTF-8 included. Skips unknown fields. */
  decode(bytes: Uint8Array): Output;
}

/**
 * Loads one message type of gatehouse.policy.v1. Reads files; call it once per type.
 * @param file path below the root of the .proto files
 * @param name full name of the message; Input and Output are its generated types
 */
export function loadMessage<Input extends object, Output>(file: string, name: string): MessageCodec<Input, Output> {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${protoRoot}${target}`;
  const type = root.loadSync(file, { keepCase: loadOptions.keepCase === true }).lookupType(name);
  return {
    encode: (message) => type.encode(type.fromObject(message)).finish(),
    // The generated types describe what toObject returns under these options.
    decode: (bytes) => type.toObject(type.decode(new StrictReader(bytes)), loadOptions) as Output,
  };
}

/** protobufjs cuts a text short that runs over the end of its message, and replaces bytes that are no UTF-8. Not here. */
class StrictReader extends protobuf.BufferReader {
  constructor(bytes: Uint8Array) {
    super(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  override string(): string {
    const bytes = this.bytes();
    if (!isUtf8(bytes)) throw new Error(`invalid UTF-8 before offset ${this.pos}`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }
}
