import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type CheckAnswer, type CheckInput, encodeCheck, identityOf, readAnswer } from "./check-harness.ts";

/** Asks a running server over gRPC, as Envoy does. */
export interface CheckClient {
  check(input?: CheckInput): Promise<CheckAnswer>;
  stop(): void;
}

/** @param port of ext_authz on 127.0.0.1 */
export function connectCheckClient(port: number): CheckClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    check: (input = {}) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        for (const [key, value] of identityOf(input)) metadata.set(key, value);
        client.makeUnaryRequest(CHECK, toBuffer, toBuffer, encodeCheck(input), metadata, (error, answer) => {
          if (answer === undefined) reject(error ?? new Error("no answer"));
          else resolve(readAnswer(answer));
        });
      }),
    stop: () => client.close(),
  };
}

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
