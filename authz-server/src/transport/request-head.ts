import type { GrpcStatus } from "./grpc-status.ts";
import { GRPC, grpcStatus } from "./grpc-status.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

/** What a header block asks for. */
export type RequestHead<Method> =
  | CallHead<Method>
  /** Well-formed, but there is nothing to call. Answered when the request has ended. */
  | { readonly kind: "refused"; readonly answer: GrpcStatus | HttpAnswer; readonly contentLength: number | null }
  /** Against RFC 9113, §8. */
  | { readonly kind: "malformed"; readonly why: string };

/** A call of a method. Equal blocks of one connection may share one object. */
export interface CallHead<Method> {
  readonly kind: "call";
  readonly method: Method;
  /** null: the caller waits for ever. */
  readonly timeoutMs: number | null;
  readonly contentLength: number | null;
  /** Whether messages with the compressed flag are announced; they are not read either way. */
  readonly isCompressed: boolean;
  readonly metadata: GatehouseMetadata;
}

/** An answer in plain HTTP, for what does not speak gRPC. */
export interface HttpAnswer {
  readonly kind: "http";
  readonly status: "405" | "415";
  /** HEAD gets none. */
  readonly hasBody: boolean;
}

/** The metadata of a call that this server reads: keys that begin with `gatehouse-`. */
export class GatehouseMetadata {
  /** For the method: what it makes of the metadata, kept for calls with equal headers. Nothing but the metadata may go into it. */
  finding: object | null = null;
  readonly #entries: readonly string[];

  /** @param entries keys in lower case and values in turn */
  constructor(entries: readonly string[]) {
    this.#entries = entries;
  }

  /** @returns values of a key that was sent more than once are joined by ", " */
  get(key: string): string | undefined {
    let found: string | undefined;
    for (let at = 0; at < this.#entries.length; at += 2) {
      const value = this.#entries[at + 1] ?? "";
      if (this.#entries[at] === key) found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }
}

const NO_METADATA = new GatehouseMetadata([]);

/** Reads the fields of one block after the other (RFC 9113, §8.2 and §8.3). */
export class RequestHeadBuilder<Method> {
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #maxBytes: number;
  #bytes = 0;
  #malformed = "";
  #areRegular = false;
  #pseudo: { [Name in (typeof PSEUDO)[number]]: string | null } = { ...NO_PSEUDO };
  #contentType = "";
  #encoding = "identity";
  #timeout: string | null = null;
  #contentLength: string | null = null;
  #metadata: string[] = [];

  constructor(methods: ReadonlyMap<string, Method>, maxBytes: number) {
    this.#methods = methods;
    this.#maxBytes = maxBytes;
  }

  /** Takes the next field. */
  readonly add = (name: string, value: string): void => {
    this.#bytes += name.length + value.length + 32;
    if (this.#malformed !== "" || this.#bytes > this.#maxBytes) return;
    if (name.startsWith(":")) this.#addPseudo(name, value);
    else {
      this.#areRegular = true;
      this.#addRegular(name, value);
    }
  };

  /** The head that the fields since the last call make. */
  finish(): RequestHead<Method> {
    const head = this.#toHead();
    this.#bytes = 0;
    this.#malformed = "";
    this.#areRegular = false;
    this.#pseudo = { ...NO_PSEUDO };
    this.#contentType = "";
    this.#encoding = "identity";
    this.#timeout = null;
    this.#contentLength = null;
    this.#metadata = [];
    return head;
  }

  #addPseudo(name: string, value: string): void {
    const known = PSEUDO.find((pseudo) => pseudo === name);
    if (known === undefined) this.#malformed = "an unknown pseudo-header";
    else if (this.#areRegular) this.#malformed = "a pseudo-header after a field";
    else if (this.#pseudo[known] !== null) this.#malformed = "a pseudo-header twice";
    else if (BAD_VALUE.test(value)) this.#malformed = "a control character in a pseudo-header";
    else this.#pseudo[known] = value;
  }

  #addRegular(name: string, value: string): void {
    const fault = faultOf(name, value);
    if (fault !== null) this.#malformed = fault;
    else if (name === "content-type") this.#contentType = value;
    else if (name === "grpc-timeout") this.#timeout = value;
    else if (name === "grpc-encoding") this.#encoding = value;
    else if (name.startsWith("gatehouse-")) this.#metadata.push(name, value);
    else if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value) || (this.#contentLength ?? value) !== value)
        this.#malformed = "a bad content-length";
      this.#contentLength = value;
    }
  }

  #toHead(): RequestHead<Method> {
    if (this.#malformed !== "") return { kind: "malformed", why: this.#malformed };
    const contentLength = this.#contentLength === null ? null : Number(this.#contentLength);
    const refused = (answer: GrpcStatus | HttpAnswer) => ({ kind: "refused", answer, contentLength }) as const;
    if (this.#bytes > this.#maxBytes) return refused(grpcStatus(GRPC.resourceExhausted, "too many headers"));
    const { ":method": verb, ":scheme": scheme, ":path": path } = this.#pseudo;
    if (verb === null || scheme === null || !path) return { kind: "malformed", why: "a pseudo-header is missing" };
    if (verb !== "POST") return refused({ kind: "http", status: "405", hasBody: verb !== "HEAD" });
    if (!/^application\/grpc(?:[+;]|$)/i.test(this.#contentType)) {
      return refused({ kind: "http", status: "415", hasBody: true });
    }
    const method = this.#methods.get(path);
    if (method === undefined) return refused(grpcStatus(GRPC.unimplemented, "no such method"));
    const timeoutMs = this.#timeout === null ? null : parseGrpcTimeout(this.#timeout);
    if (timeoutMs === undefined) return refused(grpcStatus(GRPC.internal, "not a grpc-timeout"));
    const metadata = this.#metadata.length === 0 ? NO_METADATA : new GatehouseMetadata(this.#metadata);
    return { kind: "call", method, timeoutMs, contentLength, isCompressed: this.#encoding !== "identity", metadata };
  }
}

const PSEUDO = [":method", ":scheme", ":authority", ":path"] as const;
const NO_PSEUDO = { ":method": null, ":scheme": null, ":authority": null, ":path": null } as const;

/** Fields of HTTP/1 connections (§8.2.2). */
const CONNECTION_FIELDS = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

// §8.2.1: no blanks, no upper case, no colon, nothing outside of ASCII in names; no NUL, CR, LF in values, no blanks around them.
const BAD_NAME = /[^\x21-\x39\x3b-\x40\x5b-\x7e]/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** What is wrong with a field that is no pseudo-header, of requests and of trailers; null: nothing. */
export function faultOf(name: string, value: string): string | null {
  if (name === "" || BAD_NAME.test(name)) return "a field name";
  if (BAD_VALUE.test(value)) return "a field value";
  if (CONNECTION_FIELDS.has(name)) return `the field ${name}`;
  if (name === "te" && value !== "trailers") return "te without trailers";
  return null;
}
