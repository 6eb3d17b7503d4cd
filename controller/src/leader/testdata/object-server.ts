import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenedApi, openKubernetesApi } from "../../kubernetes/open-api.ts";

/** One request as the server got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Fields;
}

/** What the server does with a request instead of serving it. */
export type Misbehaviour =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Record<string, string> }
  /** Never answers. `isDone`: after having done what was asked. */
  | { readonly kind: "hang"; readonly isDone: boolean }
  | { readonly kind: "delay"; readonly ms: number };

export type Fields = Record<string, unknown>;

/** An API server of objects by path: optimistic concurrency, server-side apply of status, faults on command. */
export interface ObjectServer {
  readonly objects: Map<string, Fields>;
  readonly requests: SeenRequest[];
  /** Asked for each request; null: it is served. */
  misbehave: (request: SeenRequest) => Misbehaviour | null;
  /** A client of its own, as each process has one. */
  connect(): Promise<OpenedApi>;
  /** Puts an object as it is, under a new resourceVersion, like somebody's edit. */
  edit(path: string, object: Fields): void;
  stop(): Promise<void>;
}

/** Starts it on loopback. */
export async function startObjectServer(): Promise<ObjectServer> {
  const objects = new Map<string, Fields>();
  const requests: SeenRequest[] = [];
  const apis: OpenedApi[] = [];
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-objects-"));
  let version = 100;
  const stamp = (object: Fields): Fields => {
    version += 1;
    return { ...object, metadata: { ...toFields(object["metadata"]), resourceVersion: String(version) } };
  };
  const serve = (request: SeenRequest): readonly [number, Fields] => {
    const { method, path, body } = request;
    const metadata = toFields(body["metadata"]);
    if (method === "POST") {
      const own = `${path}/${String(metadata["name"])}`;
      if (objects.has(own)) return [409, { reason: "AlreadyExists" }];
      objects.set(own, stamp(body));
      return [201, objects.get(own) ?? {}];
    }
    const own = path.replace(/\/status$/, "");
    const current = objects.get(own);
    if (current === undefined) return [404, { reason: "NotFound" }];
    const expected = metadata["resourceVersion"] ?? toFields(current["metadata"])["resourceVersion"];
    if (method !== "GET" && expected !== toFields(current["metadata"])["resourceVersion"]) {
      return [409, { reason: "Conflict" }];
    }
    if (method === "PUT") objects.set(own, stamp(body));
    if (method === "PATCH") objects.set(own, stamp({ ...current, ...(body["status"] ? { status: body["status"] } : body) }));
    return [200, objects.get(own) ?? {}];
  };
  const server: ObjectServer = {
    objects,
    requests,
    misbehave: () => null,
    async connect() {
      const path = join(directory, `kubeconfig-${apis.length}`);
      await writeFile(path, kubeconfig((listener.address() as AddressInfo).port));
      const api = await openKubernetesApi({ kubeconfig: path });
      apis.push(api);
      return api;
    },
    edit: (path, object) => void objects.set(path, stamp(object)),
    async stop() {
      for (const api of apis) await api.close();
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
  const listener = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return server;

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await read(incoming);
    requests.push(request);
    const fault = server.misbehave(request);
    if (fault?.kind === "hang") {
      if (fault.isDone) serve(request);
      return;
    }
    if (fault?.kind === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const [status, body] = fault?.kind === "status" ? [fault.status, {}] : serve(request);
    const headers = fault?.kind === "status" ? fault.headers : {};
    outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  }
}

async function read(incoming: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  const body = text === "" ? {} : toFields(JSON.parse(text));
  const contentType = incoming.headers["content-type"] ?? "";
  return { method: incoming.method ?? "", path: url.pathname, query: url.searchParams, contentType, body };
}

/** An object's fields; none of anything else. */
export function toFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function kubeconfig(port: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: { token: "t" } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}
