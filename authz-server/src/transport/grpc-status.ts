/** Codes of gRPC that this server answers. */
export const GRPC = {
  ok: 0,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

/** How a call ended when not with a message. `kind` tells it from the bytes of one. */
export interface GrpcStatus {
  readonly kind: "status";
  /** Any code of gRPC. */
  readonly code: number;
  /** For the caller; any text. */
  readonly message: string;
}

/** @param code of gRPC; 0 ends a stream of messages well */
export function grpcStatus(code: number, message: string): GrpcStatus {
  return { kind: "status", code, message };
}

/** A message as the header `grpc-message` has it: UTF-8 with all but printable ASCII and `%` escaped. */
export function encodeGrpcMessage(message: string): string {
  let text = "";
  for (const byte of Buffer.from(message, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
