import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { HeldResource, PolicySnapshot } from "./policy-snapshot.ts";

/**
 * The file is one line of text, then the body:
 *
 *     gatehouse-last-good 1 <sha-256 of the body, hex>\n
 *     {"setVersion":"...","acceptedAtMs":0,"resources":2}\n
 *     per resource: name, version and bytes, each preceded by its length (32 bits, big endian)
 */
const MAGIC = "gatehouse-last-good";
const SCHEMA_VERSION = 1;
const FIRST_LINE_MAX_BYTES = 256;
const NEWLINE = 0x0a;

/** The bytes are not a last-good file that this version wrote whole. */
export class LastGoodFormatError extends Error {
  readonly code: "last_good_format" = "last_good_format";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LastGoodFormatError";
  }
}

/** @returns the file in pieces, to be written one after the other */
export async function encodeLastGood(snapshot: PolicySnapshot): Promise<readonly Uint8Array[]> {
  const { setVersion, acceptedAtMs, resources } = snapshot;
  const head = Buffer.from(`${JSON.stringify({ setVersion, acceptedAtMs, resources: resources.length })}\n`);
  const hash = createHash("sha256").update(head);
  const body: Buffer[] = [head];
  for (let start = 0; start < resources.length; ) {
    if (start > 0) await nextTurn();
    const end = endOfPortion(resources, start);
    const portion = framePortion(resources.slice(start, end));
    hash.update(portion);
    body.push(portion);
    start = end;
  }
  return [Buffer.from(`${MAGIC} ${SCHEMA_VERSION} ${hash.digest("hex")}\n`), ...body];
}

/** Put together in one turn of the event loop: key sets can have megabytes, and checks go on in between. */
const BYTES_PER_TURN = 1024 * 1024;
const RESOURCES_PER_TURN = 1000;

function endOfPortion(resources: readonly HeldResource[], start: number): number {
  let bytes = 0;
  let end = start;
  while (end < resources.length && end - start < RESOURCES_PER_TURN && bytes < BYTES_PER_TURN) {
    bytes += resources[end]?.bytes.length ?? 0;
    end += 1;
  }
  return end;
}

/** Straight into one buffer: with a buffer for each length and each name, what is thrown away costs more than what is written. */
function framePortion(resources: readonly HeldResource[]): Buffer {
  const most = resources.reduce((sum, resource) => sum + maxFrameBytes(resource), 0);
  const portion = Buffer.allocUnsafeSlow(most);
  let end = 0;
  const writeText = (text: string): void => {
    const length = portion.write(text, end + LENGTH_BYTES);
    end = portion.writeUInt32BE(length, end) + length;
  };
  for (const { name, version, bytes } of resources) {
    writeText(name);
    writeText(version);
    end = portion.writeUInt32BE(bytes.length, end);
    portion.set(bytes, end);
    end += bytes.length;
  }
  return portion.subarray(0, end);
}

const LENGTH_BYTES = 4;

/** Of UTF-8, for one unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;

function maxFrameBytes({ name, version, bytes }: HeldResource): number {
  return 3 * LENGTH_BYTES + MAX_BYTES_PER_UNIT * (name.length + version.length) + bytes.length;
}

/** @returns resources whose bytes are parts of the file's. @throws {LastGoodFormatError} */
export function decodeLastGood(bytes: Buffer): PolicySnapshot {
  const [magic, schema, hash, ...rest] = lineAt(bytes, 0, FIRST_LINE_MAX_BYTES).split(" ");
  if (magic !== MAGIC || rest.length > 0) throw new LastGoodFormatError("not a last-good file");
  if (schema !== String(SCHEMA_VERSION)) throw new LastGoodFormatError(`schema version ${schema} is not known`);
  const body = bytes.subarray(bytes.indexOf(NEWLINE) + 1);
  if (sha256(body) !== hash) throw new LastGoodFormatError("checksum does not fit the content");

  const headLine = lineAt(body, 0, body.length);
  const head = parseHead(headLine);
  const resources: HeldResource[] = [];
  const reader = new FrameReader(body, Buffer.byteLength(headLine) + 1);
  for (let index = 0; index < head.resources; index += 1) {
    const name = reader.next().toString("utf8");
    const version = reader.next().toString("utf8");
    const { buffer, byteOffset, length } = reader.next();
    resources.push({ name, version, bytes: new Uint8Array(buffer, byteOffset, length) });
  }
  if (!reader.isAtEnd) throw new LastGoodFormatError("bytes after the last resource");
  return { setVersion: head.setVersion, acceptedAtMs: head.acceptedAtMs, resources };
}

class FrameReader {
  readonly #body: Buffer;
  #offset: number;

  constructor(body: Buffer, offset: number) {
    this.#body = body;
    this.#offset = offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#body.length;
  }

  next(): Buffer {
    const start = this.#offset + LENGTH_BYTES;
    if (start > this.#body.length) throw new LastGoodFormatError("cut off");
    const end = start + this.#body.readUInt32BE(this.#offset);
    if (end > this.#body.length) throw new LastGoodFormatError("cut off");
    this.#offset = end;
    return this.#body.subarray(start, end);
  }
}

function lineAt(bytes: Buffer, start: number, maxBytes: number): string {
  const end = bytes.indexOf(NEWLINE, start);
  if (end < 0 || end - start > maxBytes) throw new LastGoodFormatError("not a last-good file");
  return bytes.toString("utf8", start, end);
}

interface Head {
  readonly setVersion: string;
  readonly acceptedAtMs: number;
  readonly resources: number;
}

function parseHead(line: string): Head {
  let head: unknown;
  try {
    head = JSON.parse(line);
  } catch (cause) {
    throw new LastGoodFormatError("second line is not JSON", { cause });
  }
  if (typeof head !== "object" || head === null) throw new LastGoodFormatError("second line is not an object");
  const setVersion = "setVersion" in head ? head.setVersion : undefined;
  const acceptedAtMs = "acceptedAtMs" in head ? head.acceptedAtMs : undefined;
  const resources = "resources" in head ? head.resources : undefined;
  if (typeof setVersion !== "string" || typeof acceptedAtMs !== "number" || typeof resources !== "number") {
    throw new LastGoodFormatError("second line lacks setVersion, acceptedAtMs or resources");
  }
  return { setVersion, acceptedAtMs, resources };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
