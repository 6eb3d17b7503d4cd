import { type ChannelCredentials, Client, credentials, Metadata } from "@grpc/grpc-js";
import { type CheckAnswer, type CheckInput, encodeCheck, identityOf, readAnswer } from "./check-harness.ts";

/** Asks a running server over gRPC, as Envoy does. */
export interface CheckClient {
  check(input?: CheckInput): Promise<CheckAnswer>;
  stop(): void;
}

/** Over a connection of its own. @param port of ext_authz, or the address as a whole @param host default 127.0.0.1 */
export function connectCheckClient(port: number | string, host = "127.0.0.1"): CheckClient {
  const client = new Client(typeof port === "string" ? port : `${host}:${port}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
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

/** Asks a listener that is bound to a workload: it says nothing about who it is. */
export interface BoundCheckClient {
  /** A GET of /headers: HTTP status of the answer, or gRPC status of the failure. */
  check(): Promise<number>;
  stop(): void;
}

/** Over a connection of its own. @param serverName as the server's certificate has it */
export function connectBoundCheckClient(
  address: string,
  channel: ChannelCredentials,
  serverName?: string,
): BoundCheckClient {
  const client = new Client(address, channel, {
    ...(serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName }),
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    check: () =>
      new Promise((resolve) => {
        const toStatus = (bytes: Uint8Array): number => readAnswer(bytes).status;
        client.makeUnaryRequest(CHECK, toBuffer, toStatus, encodeCheck({}), (error, answer) => {
          resolve(error === null ? (answer ?? 0) : error.code);
        });
      }),
    stop: () => client.close(),
  };
}

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
