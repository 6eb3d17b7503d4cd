import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { issueAuthority, issueLeaf } from "../certificates/issue.ts";
import { StartError } from "../start-error.ts";
import { KubernetesError } from "./api.ts";
import { type OpenedApi, openKubernetesApi } from "./open-api.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
let directory: string;
let url: string;
const opened: OpenedApi[] = [];

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  directory = await mkdtemp(join(tmpdir(), "gatehouse-api-"));
});
afterEach(async () => {
  vi.useRealTimers();
  for (const api of opened.splice(0)) await api.close();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(user: object = { token: "secret-token" }, path = ""): Promise<OpenedApi> {
  const kubeconfig = join(directory, "kubeconfig");
  const config = {
    clusters: [{ name: "c", cluster: { server: `${url}${path}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const api = await openKubernetesApi({ kubeconfig });
  opened.push(api);
  return api;
}

async function failureOf(promise: Promise<unknown>): Promise<KubernetesError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof KubernetesError) return error;
  throw new Error(`no KubernetesError: ${String(error)}`);
}

async function linesOf(api: OpenedApi, options: { readonly idleMs?: number; readonly signal?: AbortSignal } = {}) {
  const lines: string[] = [];
  for await (const line of api.lines({ path: "/watch", idleMs: 5000, ...options })) lines.push(line);
  return lines;
}

it("sends method, path below the server's own, query, body and token, and reads JSON", async () => {
  const seen: unknown[] = [];
  answer = (request, response) => {
    request.on("data", (chunk) => seen.push(String(chunk)));
    request.on("end", () => {
      const { method, url: target, headers } = request;
      seen.push(method, target, headers.authorization, headers["content-type"], headers["accept-encoding"]);
      response.end('{"a":1}');
    });
  };
  const api = await open(undefined, "/k8s/clusters/c-1");
  const result = await api.request({
    method: "PATCH",
    path: "/apis/x",
    query: { fieldManager: "g h" },
    body: { b: 2 },
    contentType: "application/apply-patch+yaml",
  });
  expect(result).toEqual({ a: 1 });
  expect(seen).toEqual([
    '{"b":2}',
    "PATCH",
    "/k8s/clusters/c-1/apis/x?fieldManager=g+h",
    "Bearer secret-token",
    "application/apply-patch+yaml",
    "identity",
  ]);
});

it("reads a token file again when it is a minute old", async () => {
  const tokenFile = join(directory, "token");
  await writeFile(tokenFile, "first");
  const tokens: unknown[] = [];
  answer = (request, response) => {
    tokens.push(request.headers.authorization);
    response.end("{}");
  };
  vi.useFakeTimers({ toFake: ["Date"] });
  const api = await open({ "auth-provider": { name: "tokenFile", config: { tokenFile } } });
  await api.request({ path: "/" });
  await writeFile(tokenFile, "second\n");
  vi.setSystemTime(Date.now() + 61_000);
  await api.request({ path: "/" });
  expect(tokens).toEqual(["Bearer first", "Bearer second"]);
});

it("says what the API server says is wrong, without the token", async () => {
  answer = (_, response) => {
    response.writeHead(409, { "retry-after": "7" });
    response.end('{"kind":"Status","reason":"Conflict","message":"changed\\nmeanwhile"}');
  };
  const error = await failureOf((await open()).request({ path: "/apis/x" }));
  expect(error).toMatchObject({ code: "HTTP", status: 409, reason: "Conflict", retryAfterMs: 7000 });
  expect(error.message).toBe(`GET /apis/x at ${url}: HTTP 409: Conflict: changed meanwhile`);
});

it("does not follow redirects", async () => {
  let requests = 0;
  answer = (_, response) => {
    requests += 1;
    response.writeHead(307, { location: "/elsewhere" });
    response.end();
  };
  expect(await failureOf((await open()).request({ path: "/" }))).toMatchObject({ code: "HTTP", status: 307 });
  expect(requests).toBe(1);
});

it.each([
  ["no JSON", "<html>", "BAD_ANSWER"],
  ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "BAD_ANSWER"],
])("refuses an answer that is %s", async (_, body, code) => {
  answer = (_request, response) => response.end(body);
  expect(await failureOf((await open()).request({ path: "/" }))).toMatchObject({ code });
});

it("refuses an answer that has no end", async () => {
  answer = (_, response) => {
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const pump = (): void => {
      while (!response.destroyed && response.write(chunk));
      response.once("drain", pump);
    };
    pump();
  };
  expect(await failureOf((await open()).request({ path: "/" }))).toMatchObject({ code: "TOO_LARGE" });
});

it.each([
  ["before it begins", () => undefined],
  ["in its middle", (response: ServerResponse) => void response.write("{")],
])("gives up an answer that stops %s", async (_, begin) => {
  answer = (_request, response) => begin(response);
  const error = await failureOf((await open()).request({ path: "/", timeoutMs: 100 }));
  expect(error).toMatchObject({ code: "TIMEOUT" });
  expect(error.message).toContain("0.1 s");
});

it("tells a broken connection and a closed port", async () => {
  answer = (_, response) => void response.destroy();
  const api = await open();
  expect(await failureOf(api.request({ path: "/" }))).toMatchObject({ code: "NETWORK" });
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  expect((await failureOf(api.request({ path: "/" }))).message).toMatch(/ECONNREFUSED/);
});

it("ends with its signal", async () => {
  answer = () => undefined;
  const stop = new AbortController();
  const result = failureOf((await open()).request({ path: "/", signal: stop.signal }));
  stop.abort();
  expect(await result).toMatchObject({ code: "ABORTED" });
});

it("gives lines as they are complete, however they are cut", async () => {
  answer = (_, response) => {
    for (const part of ["fir", "st\nsec", "ond\n\nth", "ird\n"]) response.write(part);
    response.end();
  };
  expect(await linesOf(await open())).toEqual(["first", "second", "third"]);
});

it("gives a line while the answer goes on", async () => {
  answer = (_, response) => void response.write("first\n");
  const stop = new AbortController();
  const { signal } = stop;
  for await (const line of (await open()).lines({ path: "/", idleMs: 5000, signal })) {
    expect(line).toBe("first");
    break;
  }
});

it.each([
  ["in the middle of a line", "BAD_ANSWER", (response: ServerResponse) => response.end("first\nsec")],
  [
    "by breaking the connection",
    "NETWORK",
    (response: ServerResponse) => response.write("a\n", () => response.destroy()),
  ],
  ["with an error", "HTTP", (response: ServerResponse) => response.writeHead(410).end()],
  ["in a line of 5 MB", "TOO_LARGE", (response: ServerResponse) => response.end(`${"x".repeat(5_000_000)}\n`)],
  ["in silence", "TIMEOUT", (response: ServerResponse) => response.write("first\n")],
])("fails when lines end %s", async (_, code, send) => {
  answer = (_request, response) => void send(response);
  expect(await failureOf(linesOf(await open(), { idleMs: 200 }))).toMatchObject({ code });
});

it("does not count the time that its reader takes as silence", async () => {
  answer = (_, response) => {
    response.write("a\n");
    setTimeout(() => response.end("b\n"), 30);
  };
  const lines: string[] = [];
  for await (const line of (await open()).lines({ path: "/", idleMs: 100 })) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    lines.push(line);
  }
  expect(lines).toEqual(["a", "b"]);
});

it.each([
  ["a kubeconfig that is not there", "missing", null],
  ["a kubeconfig without a context", "kubeconfig", "clusters: []\n"],
  ["a kubeconfig that is no YAML", "kubeconfig", "{"],
  [
    "certificates that are not there",
    "kubeconfig",
    'clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: nowhere.crt}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x',
  ],
])("refuses %s with its name", async (_, name, content) => {
  const kubeconfig = join(directory, name);
  if (content !== null) await writeFile(kubeconfig, content);
  const opening = openKubernetesApi({ kubeconfig });
  await expect(opening).rejects.toThrow(StartError);
  await expect(opening).rejects.toThrow(kubeconfig);
});

it("says that there is no service account outside of a cluster", async () => {
  vi.stubEnv("KUBERNETES_SERVICE_HOST", undefined);
  await expect(openKubernetesApi({ kubeconfig: null })).rejects.toThrow(/give a --kubeconfig/);
  vi.unstubAllEnvs();
});

it("shows its certificate to the API server, and talks to none that the CA has not signed", async () => {
  const validity = { fromMs: Date.now() - 1000, toMs: Date.now() + 3_600_000 };
  const authority = await issueAuthority(validity);
  const stranger = await issueAuthority(validity);
  const serving = await issueLeaf(authority, { name: "localhost", usage: "server", validity });
  const ours = await issueLeaf(authority, { name: "gatehouse", usage: "client", validity });
  const tls = createTlsServer(
    {
      key: serving.privateKey,
      cert: serving.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (_, response) => response.end('"welcome"'),
  );
  tls.listen(0, "127.0.0.1");
  await once(tls, "listening");
  const { port } = tls.address() as AddressInfo;
  const openWith = async (ca: string): Promise<OpenedApi> => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const kubeconfig = join(directory, "kubeconfig");
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      "tls-server-name": "localhost",
      "certificate-authority-data": base64(ca),
    };
    const user = {
      "client-certificate-data": base64(ours.certificate),
      "client-key-data": base64(ours.privateKey),
    };
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const api = await openKubernetesApi({ kubeconfig });
    opened.push(api);
    return api;
  };
  const good = await openWith(authority.certificate);
  expect(good.isVerified).toBe(true);
  expect(await good.request({ path: "/" })).toBe("welcome");
  const bad = await openWith(stranger.certificate);
  expect(await failureOf(bad.request({ path: "/" }))).toMatchObject({ code: "NETWORK" });
  tls.closeAllConnections();
  tls.close();
});
