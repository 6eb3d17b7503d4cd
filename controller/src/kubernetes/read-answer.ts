import type { Dispatcher } from "undici";
import { KubernetesError } from "./api.ts";
import type { Deadline } from "./deadline.ts";

/** A page of a list may hold hundreds of objects; etcd takes none larger than 1.5 MiB by default. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** One watch event holds one object. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE_LENGTH = 500;

/** The JSON of a whole answer. @param what the request, for messages */
export async function readJson(what: string, { body }: Dispatcher.ResponseData): Promise<unknown> {
  const text = decode(what, await readBody(what, body, MAX_BODY_BYTES));
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new KubernetesError("BAD_ANSWER", `${what}: the answer is not JSON`);
  }
}

/**
 * The lines of an answer as they come, without line breaks and empty lines. An end in the middle of a line is an error.
 * @param onBytes called whenever something arrives
 */
export async function* readLines(
  what: string,
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<string, void> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    onBytes();
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const last = chunk.subarray(start, end);
      start = end + 1;
      if (size + last.length > MAX_LINE_BYTES) throw tooLarge(what, MAX_LINE_BYTES);
      const line = decode(what, Buffer.concat([...parts, last]));
      parts = [];
      size = 0;
      if (line !== "") yield line;
    }
    const rest = chunk.subarray(start);
    size += rest.length;
    if (size > MAX_LINE_BYTES) throw tooLarge(what, MAX_LINE_BYTES);
    if (rest.length > 0) parts.push(rest);
  }
  if (size > 0) throw new KubernetesError("BAD_ANSWER", `${what}: the answer ended in the middle of a line`);
}

/** The error for an answer that is not 2xx. Reads the API server's Status from it. */
export async function failure(what: string, response: Dispatcher.ResponseData): Promise<KubernetesError> {
  const { statusCode: status, headers, body } = response;
  const { reason, message } = readStatus(await readBody(what, body, MAX_ERROR_BYTES).catch(() => new Uint8Array()));
  const text = [`HTTP ${status}`, reason ?? "", message ?? ""].filter((part) => part !== "").join(": ");
  const retryAfter = Number(headers["retry-after"] ?? Number.NaN);
  return new KubernetesError("HTTP", `${what}: ${text}`, {
    status,
    reason,
    retryAfterMs: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter * 1000 : null,
  });
}

/** Whatever was thrown during an exchange, as our own error. */
export function failureOf(what: string, error: unknown, { ended, limitMs }: Deadline): KubernetesError {
  if (ended === "aborted") return new KubernetesError("ABORTED", `${what}: stopped`, { cause: error });
  if (ended === "timeout") {
    return new KubernetesError("TIMEOUT", `${what}: nothing for ${limitMs / 1000} s`, { cause: error });
  }
  if (error instanceof KubernetesError) return error;
  return new KubernetesError("NETWORK", `${what}: ${reasonOf(error)}`, { cause: error });
}

const LINE_FEED = 0x0a;

async function readBody(what: string, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(what, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(what: string, maxBytes: number): KubernetesError {
  return new KubernetesError("TOO_LARGE", `${what}: the answer has more than ${maxBytes} bytes at a time`);
}

/** Replacement characters would change policy without anybody being told. */
function decode(what: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KubernetesError("BAD_ANSWER", `${what}: the answer is not UTF-8`);
  }
}

interface Status {
  readonly reason: string | null;
  readonly message: string | null;
}

function readStatus(bytes: Uint8Array): Status {
  try {
    const status: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof status !== "object" || status === null) return { reason: null, message: null };
    return { reason: textOf(Reflect.get(status, "reason")), message: textOf(Reflect.get(status, "message")) };
  } catch {
    return { reason: null, message: null }; // some other server's page; the HTTP status says enough
  }
}

function textOf(value: unknown): string | null {
  if (typeof value !== "string" || value === "") return null;
  const line = value.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}...` : line;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join(", ");
  return error instanceof Error ? error.message || error.name : String(error);
}
