import { isJsonList, isJsonObject, type JsonMembers, type JsonValue } from "./json.ts";
import { type Jwt, parseJwt } from "./jwt.ts";
import type { JwtFailure } from "./jwt-status.ts";

/** What is kept of a token between requests: what every request asks, and the claims that one has asked for. */
export interface JwtSummary {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly notBeforeSec: number | undefined;
  readonly expiresSec: number | undefined;
  /** By name; undefined: the token has no such claim. Policy names what is asked for, so they are few. */
  readonly asked: Map<string, JsonValue | undefined>;
  /** Of the text of the token. */
  readonly bytes: number;
}

/** A token at hand: what its summary lacks is read from its text, once for each request that needs it. */
export class KnownJwt implements Jwt {
  readonly summary: JwtSummary;
  readonly #text: string;
  #whole: Jwt | undefined;

  /** @param text of the very token that the summary was made of */
  constructor(summary: JwtSummary, text: string, whole?: Jwt) {
    this.summary = summary;
    this.#text = text;
    this.#whole = whole;
  }

  /** Takes a token apart that nothing is known of. */
  static parse(text: string): KnownJwt | JwtFailure {
    const whole = parseJwt(text);
    if (typeof whole === "string") return whole;
    const { notBeforeSec, expiresSec } = whole;
    const issuer = shared(whole.issuer);
    const audiences = whole.audiences.map(shared);
    const summary = { issuer, audiences, notBeforeSec, expiresSec, asked: new Map(), bytes: text.length };
    return new KnownJwt(summary, text, whole);
  }

  get issuer(): string {
    return this.summary.issuer;
  }

  get audiences(): readonly string[] {
    return this.summary.audiences;
  }

  get notBeforeSec(): number | undefined {
    return this.summary.notBeforeSec;
  }

  get expiresSec(): number | undefined {
    return this.summary.expiresSec;
  }

  get payload(): JsonMembers {
    return this;
  }

  /** A claim. */
  get(name: string): JsonValue | undefined {
    const { asked } = this.summary;
    const value = asked.get(name);
    if (value !== undefined || asked.has(name)) return value;
    const found = copy(this.#parsed.payload.get(name));
    asked.set(name, found);
    return found;
  }

  get alg(): Jwt["alg"] {
    return this.#parsed.alg;
  }

  get kid(): string {
    return this.#parsed.kid;
  }

  get payloadSegment(): string {
    return this.#parsed.payloadSegment;
  }

  get signingInput(): string {
    return this.#parsed.signingInput;
  }

  get signature(): Uint8Array {
    return this.#parsed.signature;
  }

  get #parsed(): Jwt {
    if (this.#whole === undefined) {
      const whole = parseJwt(this.#text);
      // The same text was a token before.
      if (typeof whole === "string") throw new Error(`a known token is none: ${whole}`);
      this.#whole = whole;
    }
    return this.#whole;
  }
}

/** A value that keeps nothing else alive: a part of a text holds the whole text. */
function copy(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === "string") return shared(value);
  if (isJsonList(value)) return value.map((element) => copy(element) ?? null);
  if (!isJsonObject(value)) return value;
  return new Map(Array.from(value, ([name, member]) => [shared(name), copy(member) ?? null]));
}

/** Issuers, audiences and groups are the same in many tokens. */
const texts = new Map<string, string>();
const MAX_TEXTS = 4096;
const MAX_TEXT_LENGTH = 256;

function shared(text: string): string {
  if (text.length > MAX_TEXT_LENGTH) return detached(text);
  const known = texts.get(text);
  if (known !== undefined) return known;
  const own = detached(text);
  // What is new pushes out what is not: subjects come and go, issuers are back at once.
  if (texts.size >= MAX_TEXTS) texts.clear();
  texts.set(own, own);
  return own;
}

/** A copy in memory of its own. The texts of tokens are well-formed, so nothing is lost. */
function detached(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
