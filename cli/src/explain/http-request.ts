import { type HeaderLine, type HttpRequest, toByteString } from "@gatehouse/authz-server/engine";
import { UserError } from "../user-error.ts";

/** A request as it is asked about. */
export interface AskedRequest {
  /** `GET http://host/path`, or `GET /path` with a host header. */
  readonly request: string;
  /** `name: value` each. */
  readonly headers: readonly string[];
  /** Sent as `Authorization: Bearer`; null: none. */
  readonly token: string | null;
  /** The peer of the connection. */
  readonly sourceIp: string;
  /** SPIFFE identity of the peer's certificate; empty: none. */
  readonly sourcePrincipal: string;
  /** Port of Envoy's listener; 0: that of the URL. */
  readonly port: number;
  readonly isGateway: boolean;
}

/** The request as Envoy would hand it over. @throws {UserError} */
export function toHttpRequest(asked: AskedRequest): HttpRequest {
  const line = parseRequestLine(asked.request);
  const sent = joinLines([...asked.headers.map(parseHeader), ...tokenHeader(asked.token)]);
  const host = line.host === "" ? (headerValue(sent, "host") ?? "") : line.host;
  if (host === "") {
    throw new UserError([`--request "${asked.request}": no host; expected for example GET http://example.com/path`], 2);
  }
  const scheme = line.scheme === "" ? "http" : line.scheme;
  const { method } = line;
  const path = toByteString(line.path);
  const pseudo: readonly HeaderLine[] = [
    { name: ":authority", value: toByteString(host) },
    { name: ":path", value: path },
    { name: ":method", value: method },
    { name: ":scheme", value: scheme },
  ];
  const lines = sent.filter(({ name }) => name !== "host" && name !== "x-forwarded-proto");
  return {
    method,
    path,
    host: toByteString(host),
    scheme,
    headers: [...pseudo, ...forwardedFor(lines, asked), { name: "x-forwarded-proto", value: scheme }],
    hasRawHeaders: true,
    source: { address: asked.sourceIp, principal: asked.sourcePrincipal },
    destination: {
      address: asked.sourceIp.includes(":") ? "::1" : "127.0.0.1",
      port: asked.port > 0 ? asked.port : portOf(host, scheme),
    },
    sni: scheme === "https" ? host.replace(/:\d*$/, "") : "",
    contextExtensions: new Map(),
    filterMetadata: () => undefined,
  };
}

interface RequestLine {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

// Not by URL, which would tidy the path up: odd paths are what people ask about.
function parseRequestLine(text: string): RequestLine {
  const [, method = "GET", scheme = "", host = "", path = ""] =
    /^(?:([A-Za-z-]+)\s+)?(?:(https?):\/\/([^/?#]*))?(\S*)$/.exec(text.trim()) ?? [];
  const isWhole = scheme !== "" ? host !== "" : path.startsWith("/");
  if (!isWhole) {
    throw new UserError([`--request "${text}": expected for example GET http://example.com/path`], 2);
  }
  return { method: method.toUpperCase(), scheme, host, path: path === "" ? "/" : path.replace(/^(?=[?#])/, "/") };
}

function parseHeader(text: string): HeaderLine {
  const [, name = "", value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/s.exec(text) ?? [];
  // Never the text itself: it may hold a token.
  if (name === "") throw new UserError(['--header: expected for example -H "x-group: admin"'], 2);
  return { name: name.toLowerCase(), value: toByteString(value) };
}

function tokenHeader(token: string | null): readonly HeaderLine[] {
  return token === null ? [] : [{ name: "authorization", value: `Bearer ${toByteString(token)}` }];
}

/** Envoy keeps these in one line however often they are sent. */
const JOINED: ReadonlySet<string> = new Set(["authorization", "x-forwarded-for"]);

function joinLines(lines: readonly HeaderLine[]): readonly HeaderLine[] {
  const result: HeaderLine[] = [];
  for (const { name, value } of lines) {
    const at = JOINED.has(name) ? result.findIndex((line) => line.name === name) : -1;
    if (at < 0) result.push({ name, value });
    else result[at] = { name, value: `${result[at]?.value ?? ""},${value}` };
  }
  return result;
}

/** A gateway's Envoy adds its peer; a sidecar's believes what it gets. */
function forwardedFor(lines: readonly HeaderLine[], asked: AskedRequest): readonly HeaderLine[] {
  if (!asked.isGateway) return lines;
  const sent = headerValue(lines, "x-forwarded-for");
  const value = sent === undefined ? asked.sourceIp : `${sent},${asked.sourceIp}`;
  return [...lines.filter(({ name }) => name !== "x-forwarded-for"), { name: "x-forwarded-for", value }];
}

function headerValue(lines: readonly HeaderLine[], wanted: string): string | undefined {
  return lines.find(({ name }) => name === wanted)?.value;
}

function portOf(host: string, scheme: string): number {
  const port = /:(\d{1,5})$/.exec(host)?.[1];
  return port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
}
