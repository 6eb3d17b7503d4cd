import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { ExtensionProvider } from "@gatehouse/protos";
import type { HeaderLine } from "../http-request.ts";
import { compileHeaderNames, type HeaderNameTest } from "./header-names.ts";
import type { ProviderAnswer, RequestChange } from "./provider-answer.ts";
import type { ProviderConnection } from "./provider-connection.ts";
import type { Question } from "./question.ts";
import { isRemovable, requestHeaderSafety, responseHeaderSafety } from "./safe-headers.ts";

/** More of a body than this is not passed on to a client. */
const MAX_BODY_BYTES = 256 * 1024;

/** Node takes a longer time for none at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Headers that Envoy always passes to the provider and to the client, whatever the lists say. */
const ALWAYS_IN_CHECK = ["authorization"];
const ALWAYS_ON_DENY = ["location", "www-authenticate"];

/** By this header of its answer a provider names request headers to remove. */
const HEADERS_TO_REMOVE = "x-envoy-auth-headers-to-remove";

/**
 * Asks a provider of kind `envoyExtAuthzHttp`: the same method, host and path (behind the prefix), and the chosen headers. 200 allows,
 * 5xx is a failure, anything else denies and is what the client gets.
 */
export class HttpProvider implements ProviderConnection {
  readonly #provider: ExtensionProvider;
  readonly #agent = new Agent({ keepAlive: true, scheduling: "lifo" });
  readonly #isInCheck: HeaderNameTest;
  readonly #isToUpstream: HeaderNameTest;
  readonly #isToClientOnDeny: HeaderNameTest;
  readonly #isToClientOnAllow: HeaderNameTest;

  constructor(provider: ExtensionProvider) {
    this.#provider = provider;
    this.#isInCheck = compileHeaderNames([...ALWAYS_IN_CHECK, ...provider.includeRequestHeadersInCheck]);
    this.#isToUpstream = compileHeaderNames(provider.headersToUpstreamOnAllow);
    const onDeny = provider.headersToDownstreamOnDeny;
    this.#isToClientOnDeny = compileHeaderNames(onDeny.length === 0 ? ["*"] : [...ALWAYS_ON_DENY, ...onDeny]);
    this.#isToClientOnAllow = compileHeaderNames(provider.headersToDownstreamOnAllow);
  }

  async ask(question: Question, signal: AbortSignal | undefined): Promise<ProviderAnswer> {
    const exchange = (): Promise<Reply | Broken> =>
      exchangeOnce(this.#send(question), { body: question.body, timeoutMs: this.#provider.timeoutMs, signal });
    let reply = await exchange();
    // The provider closed an idle connection just when we used it: it has not seen the question.
    if (reply.kind === "broken" && reply.isStaleConnection) reply = await exchange();
    return reply.kind === "broken" ? { kind: "failed", message: reply.message, answer: null } : this.#judge(reply);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws TypeError for what HTTP/1.1 can't say */
  #send({ method, path, host, headers, body }: Question): ClientRequest {
    const { service, port, pathPrefix, includeAdditionalHeadersInCheck } = this.#provider;
    if (method === "CONNECT") throw new TypeError("CONNECT can't be asked about by HTTP");
    const lines = new Map([
      ["host", host === "" ? service : host],
      ["content-length", String(body.length)],
    ]);
    for (const [name, value] of headers) {
      if (this.#isInCheck(name) && !name.startsWith(":") && !NOT_COPIED.has(name)) lines.set(name, value);
    }
    for (const { name, value } of includeAdditionalHeadersInCheck) lines.set(name.toLowerCase(), value);
    return httpRequest({
      agent: this.#agent,
      host: service,
      port,
      method,
      path: pathPrefix + path,
      headers: [...lines].flat(),
    });
  }

  #judge({ status, headers, body }: Reply): ProviderAnswer {
    if (status >= 500) return { kind: "failed", message: `the provider answered with status ${status}`, answer: null };
    if (status === 200) return this.#allow(headers);
    const toClient = headers.filter(
      ({ name, value }) => this.#isToClientOnDeny(name) && responseHeaderSafety(name, value) === "safe",
    );
    return { kind: "deny", status: status >= 200 ? status : 403, headers: toClient, body };
  }

  #allow(headers: readonly HeaderLine[]): ProviderAnswer {
    const changes: RequestChange[] = [];
    for (const { name, value } of headers) {
      const isMeant = name !== "host" && this.#isToUpstream(name);
      if (isMeant && requestHeaderSafety(name, value) === "safe")
        changes.push({ kind: "header", how: "set", name, value });
    }
    for (const { name, value } of headers) {
      if (name !== HEADERS_TO_REMOVE) continue;
      const names = value.split(",").map((entry) => entry.trim().toLowerCase());
      changes.push(...names.filter(isRemovable).map((removed) => ({ kind: "removeHeader", name: removed }) as const));
    }
    const responseHeaders = headers
      .filter(({ name, value }) => this.#isToClientOnAllow(name) && responseHeaderSafety(name, value) === "safe")
      .map(({ name, value }) => ({ name, value, append: true }));
    return { kind: "allow", changes, responseHeaders, metadata: null };
  }
}

// The message to the provider is one of its own.
const NOT_COPIED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

interface Reply {
  readonly kind: "reply";
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

interface Broken {
  readonly kind: "broken";
  readonly message: string;
  readonly isStaleConnection: boolean;
}

interface Sending {
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Sends a question and reads the answer to its end, within the time. Never rejects. */
function exchangeOnce(sending: ClientRequest, { body, timeoutMs, signal }: Sending): Promise<Reply | Broken> {
  return new Promise((resolve) => {
    let response: IncomingMessage | null = null;
    const chunks: Buffer[] = [];
    const finish = (outcome: Reply | Broken): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const breakOff = (message: string, isStaleConnection = false): void => {
      sending.destroy();
      // Once a denial has begun it stays one, even if its body does not arrive.
      if (response !== null && isDenial(response)) finish(toReply(response, chunks));
      else finish({ kind: "broken", message, isStaleConnection });
    };
    const timer = setTimeout(() => breakOff(`no answer within ${timeoutMs} ms`), Math.min(timeoutMs, MAX_TIMER_MS));
    sending.on("error", (error: NodeJS.ErrnoException) => {
      breakOff(error.code ?? error.name, sending.reusedSocket && error.code === "ECONNRESET" && response === null);
    });
    sending.on("upgrade", () => breakOff("the provider wants another protocol"));
    sending.on("response", (incoming) => {
      response = incoming;
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
        else breakOff("the answer is too long");
      });
      incoming.on("end", () => finish(toReply(incoming, chunks)));
      incoming.on("error", () => breakOff("the answer broke off"));
      incoming.on("close", () => {
        if (!incoming.complete) breakOff("the answer broke off");
      });
    });
    if (signal?.aborted === true) breakOff("cancelled");
    signal?.addEventListener("abort", () => breakOff("cancelled"), { once: true });
    sending.end(body);
  });
}

function isDenial({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode !== 200 && statusCode < 500;
}

function toReply({ statusCode = 0, rawHeaders }: IncomingMessage, chunks: readonly Buffer[]): Reply {
  const headers: HeaderLine[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.push({ name: (rawHeaders[i] ?? "").toLowerCase(), value: rawHeaders[i + 1] ?? "" });
  }
  return { kind: "reply", status: statusCode, headers, body: Buffer.concat(chunks).toString("utf8") };
}
