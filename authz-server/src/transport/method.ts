import type { GrpcStatus } from "./grpc-status.ts";
import type { GatehouseMetadata } from "./request-head.ts";

/** Tells whom to call when nobody waits for the answer any more: reset, past its deadline, or the connection gone. */
export type OnCancel = (cancelled: () => void) => void;

/** Something that can be called. Nothing here may keep the bytes of a message for long: they lie in what arrived with it. */
export type Method = UnaryMethod | StreamingMethod;

/** One message in, one out. A bug that is thrown is answered with INTERNAL. */
export interface UnaryMethod {
  readonly kind: "unary";
  answer(message: Uint8Array, metadata: GatehouseMetadata, onCancel: OnCancel): Reply | Promise<Reply>;
}

/** A message, or why there is none. */
export type Reply = Uint8Array | GrpcStatus;

/** One message in, any number out, for as long as the caller listens. */
export interface StreamingMethod {
  readonly kind: "streaming";
  start(message: Uint8Array, replies: Replies): void;
}

/** The way back to the caller; after the end, or when the caller is gone, nothing happens any more. */
export interface Replies {
  send(message: Uint8Array): void;
  end(status: GrpcStatus): void;
  readonly onCancel: OnCancel;
}
