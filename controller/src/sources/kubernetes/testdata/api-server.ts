import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What an API server does in place of answering as it should. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly reason?: string; readonly retryAfter?: string }
  /** An answer of these bytes, with status 200. */
  | { readonly kind: "body"; readonly body: string }
  /** Takes the request and says nothing. */
  | { readonly kind: "silence" }
  | { readonly kind: "reset" };

export interface ApiCall {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
  /** Resource in plural; empty for discovery. */
  readonly plural: string;
}

export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** A small API server of our kinds on a real port, which misbehaves on command. */
export interface TestApiServer {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  /** Every request, in order. */
  readonly calls: readonly ApiCall[];
  put(object: StoredObject): void;
  remove(object: StoredObject): void;
  /** As `remove` for each, without an event: the watches have missed it. */
  removeUnseen(object: StoredObject): void;
  /** Asked at each request; a fault is carried out in place of an answer. */
  intercept(hook: (call: ApiCall) => Fault | null): void;
  /** Writes to all open watches of a resource. */
  write(plural: string, bytes: string): void;
  /** Ends all open watches of a resource: properly, or by breaking the connection. */
  endWatches(plural: string, how: "end" | "reset"): void;
  /** Says nothing more on open watches, without closing them. */
  freezeWatches(plural: string): void;
  /** Forgets the past: older versions are answered by 410. @param as how a watch is told */
  compact(as: "status" | "event"): void;
  /** A CRD in the state of being deleted, or not there. */
  setCrd(plural: string, state: "served" | "terminating" | "missing"): void;
  /** Resolves as soon as the condition holds; it is looked at after every request and change. */
  until(condition: () => boolean): Promise<void>;
  openWatches(plural: string): number;
  close(): Promise<void>;
}

const TYPES = [
  { group: "security.istio.io", version: "v1", plural: "authorizationpolicies", kind: "AuthorizationPolicy" },
  { group: "security.istio.io", version: "v1", plural: "requestauthentications", kind: "RequestAuthentication" },
  { group: "networking.istio.io", version: "v1", plural: "virtualservices", kind: "VirtualService" },
  { group: "networking.istio.io", version: "v1", plural: "gateways", kind: "Gateway" },
  { group: "", version: "v1", plural: "pods", kind: "Pod" },
];

interface Watch {
  readonly plural: string;
  readonly response: ServerResponse;
  isFrozen: boolean;
}

export async function startTestApiServer(): Promise<TestApiServer> {
  const objects = new Map<string, StoredObject>();
  const history: { readonly plural: string; readonly version: number; readonly line: string }[] = [];
  const crds = new Map<string, "served" | "terminating" | "missing">();
  const watches = new Set<Watch>();
  const calls: ApiCall[] = [];
  const waiting = new Set<() => void>();
  let version = 100;
  let oldest = 0;
  let expiryAs: "status" | "event" = "status";
  let hook: (call: ApiCall) => Fault | null = () => null;
  const look = () => {
    for (const check of [...waiting]) check();
  };

  const server = createServer((request, response) => {
    handle(request, response);
    look();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-api-"));
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigFor(`http://127.0.0.1:${port}`));

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://api");
    const type = TYPES.find(({ plural }) => url.pathname.endsWith(`/${plural}`));
    const call: ApiCall = {
      path: url.pathname,
      query: url.searchParams,
      isWatch: url.searchParams.get("watch") === "true",
      plural: type?.plural ?? "",
    };
    calls.push(call);
    const fault = hook(call);
    if (fault !== null) return misbehave(fault, response);
    if (type === undefined) return discover(url.pathname, response);
    if (crds.get(type.plural) === "missing") return sendStatus(response, 404, "NotFound");
    if (call.isWatch) return watch(type.plural, call.query, response);
    list(type, call.query, response);
  }

  function discover(path: string, response: ServerResponse): void {
    const [, , group = "", wanted] = path.split("/");
    const types = TYPES.filter((type) => type.group === group && crds.get(type.plural) !== "missing");
    if (types.length === 0) return sendStatus(response, 404, "NotFound");
    if (wanted === undefined) return sendJson(response, { kind: "APIGroup", versions: [{ version: "v1" }] });
    const resources = types.map(({ plural }) => ({
      name: plural,
      verbs: ["delete", "get", "list", "watch", ...(crds.get(plural) === "terminating" ? [] : ["create"])],
    }));
    sendJson(response, { kind: "APIResourceList", resources });
  }

  function list(type: (typeof TYPES)[number], query: URLSearchParams, response: ServerResponse): void {
    const [at = String(version), after = ""] = (query.get("continue") ?? "").split("|").filter((part) => part !== "");
    if (Number(at) < oldest) return sendStatus(response, 410, "Expired");
    const all = [...objects].filter(([key]) => key.startsWith(`${type.plural}/`)).sort(([a], [b]) => (a < b ? -1 : 1));
    const rest = all.filter(([key]) => key > after);
    const page = rest.slice(0, Number(query.get("limit") ?? rest.length));
    const next = page.length < rest.length ? `${at}|${page.at(-1)?.[0]}` : "";
    sendJson(response, {
      kind: `${type.kind}List`,
      apiVersion: `${type.group}/${type.version}`,
      metadata: { resourceVersion: at, ...(next === "" ? {} : { continue: next }) },
      items: page.map(([, object]) => object),
    });
  }

  function watch(plural: string, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion"));
    if (from < oldest && expiryAs === "status") return sendStatus(response, 410, "Expired");
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (from < oldest) {
      const status = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
      return;
    }
    const opened: Watch = { plural, response, isFrozen: false };
    for (const event of history) if (event.plural === plural && event.version > from) response.write(event.line);
    watches.add(opened);
    const timer = setTimeout(
      () => {
        if (opened.isFrozen) return;
        response.write(bookmark(plural, version));
        response.end();
      },
      Number(query.get("timeoutSeconds")) * 1000,
    );
    response.on("close", () => {
      clearTimeout(timer);
      watches.delete(opened);
      look();
    });
  }

  function emit(type: string, plural: string, object: StoredObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    history.push({ plural, version, line });
    for (const open of watches) if (open.plural === plural && !open.isFrozen) open.response.write(line);
    look();
  }

  function removeNow(object: StoredObject): StoredObject | undefined {
    const key = keyOf(object);
    const stored = objects.get(key);
    objects.delete(key);
    version += 1;
    return stored;
  }

  return {
    kubeconfig,
    calls,
    put(object) {
      const key = keyOf(object);
      const before = objects.get(key);
      version += 1;
      const stored = {
        ...object,
        metadata: {
          uid: `uid-${version}`,
          creationTimestamp: "2026-01-01T00:00:00Z",
          managedFields: [{ manager: "test" }],
          ...before?.metadata,
          ...object.metadata,
          generation: version,
          resourceVersion: String(version),
        },
      };
      objects.set(key, stored);
      emit(before === undefined ? "ADDED" : "MODIFIED", pluralOf(object), stored);
    },
    remove(object) {
      const stored = removeNow(object);
      if (stored === undefined) return;
      const metadata = { ...stored.metadata, resourceVersion: String(version) };
      emit("DELETED", pluralOf(object), { ...stored, metadata });
    },
    removeUnseen: (object) => void removeNow(object),
    intercept(next) {
      hook = next;
    },
    write(plural, bytes) {
      for (const open of watches) if (open.plural === plural) open.response.write(bytes);
    },
    endWatches(plural, how) {
      for (const open of watches) {
        if (open.plural !== plural) continue;
        watches.delete(open);
        if (how === "end") open.response.end();
        else open.response.destroy();
      }
    },
    freezeWatches(plural) {
      for (const open of watches) if (open.plural === plural) open.isFrozen = true;
    },
    compact(as) {
      version += 1;
      oldest = version;
      expiryAs = as;
    },
    setCrd(plural, state) {
      crds.set(plural, state);
    },
    openWatches: (plural) => [...watches].filter((open) => open.plural === plural).length,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function keyOf(object: StoredObject): string {
  return `${pluralOf(object)}/${object.metadata.namespace}/${object.metadata.name}`;
}

function pluralOf({ kind }: StoredObject): string {
  return TYPES.find((type) => type.kind === kind)?.plural ?? "";
}

function misbehave(fault: Fault, response: ServerResponse): void {
  switch (fault.kind) {
    case "status":
      if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
      sendStatus(response, fault.status, fault.reason ?? "InternalError");
      return;
    case "body":
      response.writeHead(200, { "content-type": "application/json" });
      response.end(fault.body);
      return;
    case "silence":
      return;
    case "reset":
      response.destroy();
  }
}

function sendStatus(response: ServerResponse, code: number, reason: string): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", code, reason, message: `told to answer ${code}` }));
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function bookmark(plural: string, version: number): string {
  const kind = TYPES.find((type) => type.plural === plural)?.kind;
  return `${JSON.stringify({ type: "BOOKMARK", object: { kind, metadata: { resourceVersion: String(version) } } })}\n`;
}

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: { token: "secret-token" } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}
