import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CheckRequest__Output, type CheckResponse, loadExtAuthz } from "@gatehouse/protos/wire";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";

/** What a gRPC provider does with a question: a CheckResponse, its bytes, a gRPC error, or nothing at all. */
export type GrpcAnswer = CheckResponse | { readonly bytes: Uint8Array } | { readonly fail: status } | "hang";

/** An ext_authz provider of a test. */
export interface TestProvider<Seen> {
  readonly port: number;
  /** The questions since the last call. */
  takeSeen(): readonly Seen[];
  stop(): Promise<void>;
}

/** What one question to a gRPC provider told. */
export interface SeenCheck {
  readonly message: CheckRequest__Output;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

const CHECK = loadExtAuthz().service.Check;

/** Starts a gRPC provider that answers as it is told at each time. @param answer for each question */
export async function startGrpcProvider(
  answer: (seen: SeenCheck) => GrpcAnswer,
  { port = 0, onCancel }: { readonly port?: number; readonly onCancel?: () => void } = {},
): Promise<TestProvider<SeenCheck>> {
  let seen: SeenCheck[] = [];
  const server = new Server();
  const service = {
    Check: { ...CHECK, responseSerialize: (bytes: Uint8Array): Buffer => Buffer.from(bytes) },
  };
  server.addService(service, {
    Check: (call: ServerUnaryCall<CheckRequest__Output, Uint8Array>, done: sendUnaryData<Uint8Array>) => {
      if (onCancel !== undefined) call.on("cancelled", onCancel);
      const question = describe(call.request);
      seen.push(question);
      const next = answer(question);
      if (next === "hang") return;
      if ("fail" in next) done({ code: next.fail, details: "scripted" });
      else done(null, "bytes" in next ? next.bytes : CHECK.responseSerialize(next));
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) => {
      if (error === null) resolve(found);
      else reject(error);
    });
  });
  return {
    port: bound,
    takeSeen: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: async () => server.forceShutdown(),
  };
}

/** A CheckResponse that denies. */
export function denial(httpStatus: number, body = "", headers: Readonly<Record<string, string>> = {}): CheckResponse {
  return {
    status: { code: status.PERMISSION_DENIED },
    deniedResponse: { status: { code: httpStatus }, body, headers: options(headers) },
  };
}

/** A CheckResponse that allows and sets (overwrites) these request headers. */
export function allowance(set: Readonly<Record<string, string>> = {}, remove: readonly string[] = []): CheckResponse {
  return { status: { code: status.OK }, okResponse: { headers: options(set), headersToRemove: [...remove] } };
}

function options(headers: Readonly<Record<string, string>>): {
  header: { key: string; value: string };
  appendAction: "OVERWRITE_IF_EXISTS_OR_ADD";
}[] {
  return Object.entries(headers).map(([key, value]) => ({
    header: { key, value },
    appendAction: "OVERWRITE_IF_EXISTS_OR_ADD",
  }));
}

function describe(message: CheckRequest__Output): SeenCheck {
  const http = message.attributes?.request?.http;
  return {
    message,
    method: http?.method ?? "",
    path: http?.path ?? "",
    host: http?.host ?? "",
    headers: Object.fromEntries((http?.headers ?? []).map(({ key, value }) => [key, value])),
  };
}

/** What one question to an HTTP provider told. */
export interface SeenHttpCheck {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Starts an HTTP provider. @param answer writes the answer, or leaves the question open */
export async function startHttpProvider(
  answer: (seen: SeenHttpCheck, response: ServerResponse) => void,
): Promise<TestProvider<SeenHttpCheck>> {
  let seen: SeenHttpCheck[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const question: SeenHttpCheck = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    };
    seen.push(question);
    answer(question, response);
  });
  const { port } = await new Promise<AddressInfo>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address !== "string") resolve(address);
    });
  });
  return {
    port,
    takeSeen: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
