import type { Dispatcher } from "undici";
import { type ApiRequest, type KubernetesApi, KubernetesError } from "./api.ts";
import { type ApiAccess, openAccess } from "./api-access.ts";
import { startDeadline } from "./deadline.ts";
import { failure, failureOf, readJson, readLines } from "./read-answer.ts";

export interface ApiOptions {
  /** Path of a kubeconfig; null: the service account of the pod we run in. */
  readonly kubeconfig: string | null;
}

/** The API server, until it is closed. */
export interface OpenedApi extends KubernetesApi {
  /** Whether the server's certificate is checked; only a kubeconfig can say otherwise. */
  readonly isVerified: boolean;
  /** Ends what is still going on. */
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Prepares requests to the API server with the credentials of a kubeconfig or of the pod. Tokens, certificates and the CA are read
 * again as they change; redirects are not followed; every answer has a limit of size and time. Nothing is asked of the server yet.
 * @throws {StartError} when the kubeconfig can't be used, or there is no service account
 */
export async function openKubernetesApi({ kubeconfig }: ApiOptions): Promise<OpenedApi> {
  const access = await openAccess(kubeconfig);
  const { server } = access;
  return {
    server: server.origin,
    isVerified: access.isVerified,
    close: () => access.close(),
    async request(request) {
      const what = describe(request, server);
      const deadline = startDeadline(request.signal, request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      try {
        const response = await send(access, request, deadline.signal);
        if (!isSuccess(response)) throw await failure(what, response);
        return await readJson(what, response);
      } catch (error) {
        throw failureOf(what, error, deadline);
      } finally {
        deadline.stop();
      }
    },
    async *lines(request) {
      const what = describe(request, server);
      const deadline = startDeadline(request.signal, request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      let body: Dispatcher.ResponseData["body"] | null = null;
      try {
        const response = await send(access, request, deadline.signal);
        if (!isSuccess(response)) throw await failure(what, response);
        body = response.body;
        deadline.extend(request.idleMs);
        request.onOpen?.();
        for await (const line of readLines(what, body, () => deadline.extend(request.idleMs))) {
          // Who takes the lines may need time; silence is only the server's while somebody listens.
          deadline.pause();
          yield line;
          deadline.extend(request.idleMs);
        }
      } catch (error) {
        throw failureOf(what, error, deadline);
      } finally {
        deadline.stop();
        body?.destroy();
      }
    },
  };
}

async function send(access: ApiAccess, request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { method = "GET", path, query, body, contentType = "application/json" } = request;
  const { dispatcher, headers } = await access.authorize();
  if (signal.aborted) throw signal.reason;
  const { origin, pathname } = access.server;
  const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  const response = await dispatcher.request({
    origin,
    path: `${pathname.replace(/\/$/, "")}${path}${search}`,
    method,
    headers: {
      ...headers,
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "gatehouse",
      ...(body === undefined ? {} : { "content-type": contentType }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
  // A body that is given up fails, and then nobody else listens.
  response.body.on("error", () => undefined);
  return response;
}

function isSuccess({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode >= 200 && statusCode <= 299;
}

/** `GET /api/v1/pods at https://10.0.0.1:6443`, for messages; a query holds nothing that a person needs. */
function describe({ method = "GET", path }: ApiRequest, server: URL): string {
  if (!path.startsWith("/")) throw new KubernetesError("BAD_ANSWER", `no path of the API server: ${path}`);
  return `${method} ${path} at ${server.origin}`;
}
