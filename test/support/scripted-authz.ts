import { type AuthorizationHandlers, type HealthHandlers, loadExtAuthz, loadHealth } from "@gatehouse/protos/wire";
import { type Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { HeaderLine } from "./raw-http.ts";

/** What the scripted authorizer does with every check. */
export type ScriptedAnswer =
  | {
      readonly kind: "allow";
      /** Set on the request, in place of what the client sent. */
      readonly set?: readonly HeaderLine[];
      readonly remove?: readonly string[];
    }
  | { readonly kind: "deny"; readonly status: number; readonly body: string }
  /** A gRPC error, e.g. UNAVAILABLE. */
  | { readonly kind: "fail"; readonly code: status }
  /** Never answers. */
  | { readonly kind: "hang" };

/** One call as it arrived. */
export interface SeenCheck {
  readonly metadata: Metadata;
  /** Request headers, pseudo headers included. */
  readonly headers: readonly HeaderLine[];
  readonly destinationPort: number;
  readonly sourceAddress: string;
}

/** An ext_authz server that answers as a test says, to look at what Envoy does with the answer. */
export interface ScriptedAuthz {
  readonly port: number;
  answer(next: ScriptedAnswer): void;
  /** The checks since the last call. */
  takeSeen(): readonly SeenCheck[];
  stop(): void;
}

/** Starts it; it allows everything until told otherwise. */
export async function startScriptedAuthz(): Promise<ScriptedAuthz> {
  let current: ScriptedAnswer = { kind: "allow" };
  let seen: SeenCheck[] = [];
  const server = new Server();
  const authorization: AuthorizationHandlers = {
    Check: (call, callback) => {
      const attributes = call.request.attributes;
      seen.push({
        metadata: call.metadata,
        headers: (attributes?.request?.http?.headerMap?.headers ?? []).map((header) => [
          header.key,
          header.rawValue.toString(),
        ]),
        destinationPort: attributes?.destination?.address?.socketAddress?.portValue ?? 0,
        sourceAddress: attributes?.source?.address?.socketAddress?.address ?? "",
      });
      if (current.kind === "fail") callback({ code: current.code, details: "scripted" });
      else if (current.kind !== "hang") callback(null, toResponse(current));
    },
  };
  const health: HealthHandlers = {
    Check: (_call, callback) => callback(null, { status: "SERVING" }),
    Watch: (call) => void call.write({ status: "SERVING" }), // back-pressure can't arise from one message
  };
  server.addService(loadExtAuthz().service, authorization);
  server.addService(loadHealth().service, health);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    answer: (next) => {
      current = next;
    },
    takeSeen: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => server.forceShutdown(),
  };
}

function toResponse(answer: ScriptedAnswer & { kind: "allow" | "deny" }) {
  if (answer.kind === "deny") {
    return {
      status: { code: status.PERMISSION_DENIED },
      deniedResponse: { status: { code: answer.status }, body: answer.body, headers: [] },
    };
  }
  return {
    status: { code: status.OK },
    okResponse: {
      headers: (answer.set ?? []).map(([key, value]) => ({
        header: { key, value },
        appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
      })),
      headersToRemove: [...(answer.remove ?? [])],
    },
  };
}
