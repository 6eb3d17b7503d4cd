import { encodeGrpcMessage, type GrpcStatus } from "./grpc-status.ts";
import { encodeFields } from "./hpack/encode-fields.ts";
import type { HttpAnswer } from "./request-head.ts";

const OK_HEADERS = [
  { name: ":status", value: "200" },
  { name: "content-type", value: "application/grpc" },
];

/** In front of messages. */
export const RESPONSE_HEADERS: Buffer = encodeFields(OK_HEADERS);

/** After the last message of a call that went well. */
export const OK_TRAILERS: Buffer = encodeFields([{ name: "grpc-status", value: "0" }]);

/** Longer ones are cut: an answer's headers are one frame. */
const MAX_MESSAGE = 1024;

/** A header block that ends a call. */
export function encodeTrailers({ code, message }: GrpcStatus): Buffer {
  return encodeFields(trailersOf(code, message));
}

/** A header block that is all of an answer. */
export function encodeTrailersOnly({ code, message }: GrpcStatus): Buffer {
  // The protocol wants the encodings named by whoever refuses one.
  const accepted = [{ name: "grpc-accept-encoding", value: "identity" }];
  return encodeFields([...OK_HEADERS, ...accepted, ...trailersOf(code, message)]);
}

function trailersOf(code: number, message: string): { readonly name: string; readonly value: string }[] {
  const text = encodeGrpcMessage(message.slice(0, MAX_MESSAGE));
  return [
    { name: "grpc-status", value: String(code) },
    ...(text === "" ? [] : [{ name: "grpc-message", value: text }]),
  ];
}

/** What a browser or curl is told. */
const HTTP_BODY = Buffer.from(
  "This port speaks gRPC only (envoy.service.auth.v3.Authorization, grpc.health.v1.Health).\n",
);

/** An answer for what does not speak gRPC: a header block, and a body that may be empty. */
export function encodeHttpAnswer({ status, hasBody }: HttpAnswer): { readonly headers: Buffer; readonly body: Buffer } {
  const allow = status === "405" ? [{ name: "allow", value: "POST" }] : [];
  const headers = encodeFields([
    { name: ":status", value: status },
    ...allow,
    { name: "content-type", value: "text/plain" },
    { name: "content-length", value: String(HTTP_BODY.length) },
  ]);
  return { headers, body: hasBody ? HTTP_BODY : Buffer.alloc(0) };
}
