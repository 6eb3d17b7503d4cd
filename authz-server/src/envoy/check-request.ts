import type { HeaderLine, HttpRequest } from "../http-request.ts";
import { filterMetadata } from "./filter-metadata.ts";
import { ProtoReader } from "./proto-reader.ts";

// Tags: field number << 3 | wire type. Names and numbers as in envoy/service/auth/v3/attribute_context.proto.
const BYTES = 2;
const CHECK_REQUEST = { attributes: tag(1, BYTES) };
const ATTRIBUTES = {
  source: tag(1, BYTES),
  destination: tag(2, BYTES),
  request: tag(4, BYTES),
  contextExtensions: tag(10, BYTES),
  metadataContext: tag(11, BYTES),
  tlsSession: tag(12, BYTES),
};
const PEER = { address: tag(1, BYTES), principal: tag(4, BYTES) };
const ADDRESS = { socketAddress: tag(1, BYTES) };
const SOCKET_ADDRESS = { address: tag(2, BYTES), portValue: tag(3, 0) };
const REQUEST = { http: tag(2, BYTES) };
const HTTP = {
  method: tag(2, BYTES),
  headers: tag(3, BYTES),
  path: tag(4, BYTES),
  host: tag(5, BYTES),
  scheme: tag(6, BYTES),
  headerMap: tag(13, BYTES),
};
const HEADER_MAP = { headers: tag(1, BYTES) };
const HEADER_VALUE = { key: tag(1, BYTES), value: tag(2, BYTES), rawValue: tag(3, BYTES) };
const EXTENSION = { key: tag(1, BYTES), value: tag(2, BYTES) };
const TLS_SESSION = { sni: tag(1, BYTES) };

/**
 * Reads a CheckRequest. Fields may come in any order, unknown ones are passed over, repeated messages are merged.
 * @returns undefined when it holds no HTTP attributes: such a request is nobody's HTTP request
 * @throws ProtoError when the bytes are no CheckRequest
 */
export function readCheckRequest(bytes: Uint8Array): HttpRequest | undefined {
  const found = new Found();
  const reader = new ProtoReader(bytes);
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === CHECK_REQUEST.attributes) reader.message((attributes) => readAttributes(attributes, found));
    else reader.skip(field);
  }
  // One fast search settles it for nearly every request: headers of HTTP hold no NUL, and few messages hold another 0.
  found.hasNul = reader.includes(0) && found.holdsNul();
  return found.hasHttp ? found.toRequest(bytes) : undefined;
}

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

function tag(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

interface MutablePeer {
  address: string;
  port: number;
  principal: string;
}

/** What has been read so far. */
class Found {
  hasHttp = false;
  hasRawHeaders = false;
  hasNul = false;
  method = "";
  path = "";
  host = "";
  scheme = "";
  sni = "";
  readonly headers: HeaderLine[] = [];
  readonly source: MutablePeer = { address: "", port: 0, principal: "" };
  readonly destination: MutablePeer = { address: "", port: 0, principal: "" };
  /** Most requests have none, and a Map has its price. */
  contextExtensions: Map<string, string> | null = null;
  readonly metadata: Buffer[] = [];

  holdsNul(): boolean {
    const texts = [this.method, this.path, this.host, this.scheme];
    return (
      texts.some((text) => text.includes("\0")) ||
      this.headers.some(({ name, value }) => name.includes("\0") || value.includes("\0"))
    );
  }

  toRequest(message: Uint8Array): HttpRequest {
    return {
      method: this.method,
      path: this.path,
      host: this.host,
      scheme: this.scheme,
      headers: this.headers,
      hasRawHeaders: this.hasRawHeaders,
      hasNul: this.hasNul,
      source: this.source,
      destination: this.destination,
      sni: this.sni,
      contextExtensions: this.contextExtensions ?? NO_EXTENSIONS,
      filterMetadata: (filter, key) => filterMetadata(this.metadata, filter, key),
      message,
    };
  }
}

function readAttributes(reader: ProtoReader, found: Found): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    switch (field) {
      case ATTRIBUTES.source:
        reader.message((peer) => readPeer(peer, found.source));
        break;
      case ATTRIBUTES.destination:
        reader.message((peer) => readPeer(peer, found.destination));
        break;
      case ATTRIBUTES.request:
        reader.message((request) => readRequest(request, found));
        break;
      case ATTRIBUTES.contextExtensions:
        found.contextExtensions ??= new Map();
        readExtensions(reader, found.contextExtensions);
        break;
      case ATTRIBUTES.metadataContext:
        found.metadata.push(reader.bytes());
        break;
      case ATTRIBUTES.tlsSession:
        reader.message((session) => readTlsSession(session, found));
        break;
      default:
        reader.skip(field);
    }
  }
}

function readPeer(reader: ProtoReader, peer: MutablePeer): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === PEER.principal) peer.principal = reader.text();
    else if (field === PEER.address) reader.message((address) => readAddress(address, peer));
    else reader.skip(field);
  }
}

function readAddress(reader: ProtoReader, peer: MutablePeer): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === ADDRESS.socketAddress) reader.message((address) => readSocketAddress(address, peer));
    else reader.skip(field);
  }
}

function readSocketAddress(reader: ProtoReader, peer: MutablePeer): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === SOCKET_ADDRESS.address) peer.address = reader.text();
    else if (field === SOCKET_ADDRESS.portValue) peer.port = reader.uint32();
    else reader.skip(field);
  }
}

function readRequest(reader: ProtoReader, found: Found): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === REQUEST.http) {
      found.hasHttp = true;
      reader.message((http) => readHttp(http, found));
    } else reader.skip(field);
  }
}

function readHttp(reader: ProtoReader, found: Found): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    switch (field) {
      case HTTP.method:
        found.method = reader.slice();
        break;
      case HTTP.path:
        found.path = reader.slice();
        break;
      case HTTP.host:
        found.host = reader.slice();
        break;
      case HTTP.scheme:
        found.scheme = reader.slice();
        break;
      case HTTP.headers:
        reader.message((entry) => found.headers.push(readHeaderValue(entry)));
        break;
      case HTTP.headerMap:
        found.hasRawHeaders = true;
        reader.message((map) => readHeaderMap(map, found));
        break;
      default:
        reader.skip(field);
    }
  }
}

function readHeaderMap(reader: ProtoReader, found: Found): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === HEADER_MAP.headers) reader.message((header) => found.headers.push(readHeaderValue(header)));
    else reader.skip(field);
  }
}

function readHeaderValue(reader: ProtoReader): HeaderLine {
  let name = "";
  let value = "";
  let rawValue = "";
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === HEADER_VALUE.key) name = reader.slice();
    else if (field === HEADER_VALUE.value) value = reader.slice();
    else if (field === HEADER_VALUE.rawValue) rawValue = reader.slice();
    else reader.skip(field);
  }
  return { name, value: rawValue === "" ? value : rawValue };
}

function readExtensions(reader: ProtoReader, extensions: Map<string, string>): void {
  reader.message((entry) => readExtension(entry, extensions));
}

function readExtension(reader: ProtoReader, extensions: Map<string, string>): void {
  let key = "";
  let value = "";
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === EXTENSION.key) key = reader.text();
    else if (field === EXTENSION.value) value = reader.text();
    else reader.skip(field);
  }
  extensions.set(key, value);
}

function readTlsSession(reader: ProtoReader, found: Found): void {
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === TLS_SESSION.sni) found.sni = reader.text();
    else reader.skip(field);
  }
}
