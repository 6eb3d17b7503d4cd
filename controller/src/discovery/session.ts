/** One resource as it travels: encoded once, shared by all sessions. */
export interface EncodedResource {
  /** Hash of the content: equal content, equal version. Never empty. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** What a session sees of the published set. */
export interface PublishedSet {
  /** Differs whenever anything in the set does. */
  readonly revision: number;
  /** Version of the whole set, sent as `system_version_info`. */
  readonly version: string;
  readonly resources: ReadonlyMap<string, EncodedResource>;
  /** Names of at least all resources that came, changed or went since that revision; null: that is too long ago to know. */
  changedSince(revision: number): Iterable<string> | null;
  /**
   * The form of a resource that makes a server deny within its scope, for servers that can't enforce the true one.
   * `withheld`: the resource is left out instead. null: neither would be safe.
   */
  unenforceable(name: string, reason: string): EncodedResource | "withheld" | null;
}

/** A DeltaDiscoveryRequest, as far as a session cares. */
export interface SessionRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** `initial_resource_versions`; looked at in the first request only. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** `response_nonce`; empty in a request that answers nothing. */
  readonly nonce: string;
  /** `error_detail`: the client refuses the response of this nonce. */
  readonly refusal: Refusal | null;
}

/** Why a client refused a response; `resources` names those to blame, empty when the client can't say. */
export interface Refusal {
  readonly message: string;
  readonly resources: readonly { readonly name: string; readonly reason: string }[];
}

/** A DeltaDiscoveryResponse before it is encoded. */
export interface SessionResponse {
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly (EncodedResource & { readonly name: string })[];
  readonly removed: readonly string[];
}

/** What a request said about the response in flight. `stale`: it answers a response that is no longer in flight. */
export type Receipt =
  | { readonly kind: "none" }
  | { readonly kind: "stale" }
  | { readonly kind: "ack"; readonly version: string }
  | {
      readonly kind: "nack";
      readonly version: string;
      readonly refusal: Refusal;
      /** Resources that this client now gets in their unenforceable form. */
      readonly marked: readonly string[];
      /** Nothing of the response could be marked: all of it waits until one of its resources changes. */
      readonly isHeld: boolean;
    };

interface Pending {
  readonly nonce: string;
  readonly version: string;
  /** Of the set that it brings the client up to. */
  readonly revision: number;
  /** Versions by name, `ABSENT` for removals. Names that the client (un)subscribed meanwhile are taken out. */
  readonly sent: Map<string, string>;
}

interface Mark {
  /** The version that the client refused; another version is tried as it is. */
  readonly of: string;
  readonly form: EncodedResource | "withheld";
  /** What the client said. */
  readonly reason: string;
}

/** How far a client has come. */
export interface SessionProgress {
  /** It asked for everything. */
  readonly isWildcard: boolean;
  /** The newest revision of the set of which it has acknowledged all it lacked; null before the first. */
  readonly revision: number | null;
  /** Resources that it does not enforce as they are, and what it said: held back, or in their unenforceable form. */
  readonly refused: ReadonlyMap<string, string>;
}

const ABSENT = "";
/** Equal to no version: the client may have anything, or nothing. */
const UNKNOWN = "?";

/**
 * The state of one delta stream, for one resource type: what the client asked for, what it has, what it was sent last.
 * At most one response is unanswered at any time; what to send next is found by comparing versions, so a client
 * that never answers costs no more memory than one that does.
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
export class Session {
  #hasStarted = false;
  #isWildcard = false;
  readonly #names = new Set<string>();
  /** What the client has, as it told or acknowledged. `ABSENT`: it asked, and knows that there is none. */
  readonly #known = new Map<string, string>();
  #pending: Pending | null = null;
  #nonce = 0;
  readonly #marks = new Map<string, Mark>();
  /** Refused without a resource to blame: not sent again until one of them changes. */
  readonly #held = new Map<string, string>();
  /** What the client said about those. */
  #heldReason = "";
  #enforcedRevision: number | null = null;
  /** The client enforces something: a change may reach it without those that are held. */
  #isEstablished = false;
  /** A response is due even if there is nothing new in it. */
  #isOwed = false;
  /** Everything of this revision of the set was sent, is held, or was not needed; null when that must be looked at anew. */
  #settledAt: number | null = null;

  /** Versions by name that the client is known to have. */
  get known(): ReadonlyMap<string, string> {
    return this.#known;
  }

  /** How far the client has come; changes only within `receive` and `next`. */
  get progress(): SessionProgress {
    const held = [...this.#held.keys()].map((name) => [name, this.#heldReason] as const);
    const marked = [...this.#marks].map(([name, { reason }]) => [name, reason] as const);
    const refused = new Map([...held, ...marked]);
    return { isWildcard: this.#isWildcard, revision: this.#enforcedRevision, refused };
  }

  /** A response is unanswered. */
  get isPending(): boolean {
    return this.#pending !== null;
  }

  /** Number of names that the client asked for one by one. */
  get subscribedNames(): number {
    return this.#names.size;
  }

  /**
   * Takes in one request: subscriptions first, then the answer to the response in flight.
   * @param set the published set; null before the first one
   */
  receive(request: SessionRequest, set: PublishedSet | null): Receipt {
    this.#applySubscriptions(request);
    if (!this.#hasStarted) this.#start(request);
    return this.#applyAnswer(request, set);
  }

  /** The response to send now, or null. Remembers it as unanswered. */
  next(set: PublishedSet): SessionResponse | null {
    if (!this.#hasStarted || this.#pending !== null) return null;
    if (!this.#isOwed && this.#settledAt === set.revision) return null;
    for (const [name, mark] of this.#marks) {
      if (set.resources.get(name)?.version !== mark.of) this.#marks.delete(name);
    }
    const changes = this.#withoutHeld(this.#changes(set), set);
    this.#settledAt = set.revision;
    if (changes.size === 0 && !this.#isOwed) {
      this.#enforcedRevision = set.revision;
      return null;
    }
    return this.#send(changes, set);
  }

  #start(request: SessionRequest): void {
    this.#hasStarted = true;
    this.#isOwed = true; // even an empty set is an answer: the client can become ready
    // A first request without any name is the older way to ask for everything.
    if (request.subscribe.length === 0 && request.unsubscribe.length === 0) this.#isWildcard = true;
    for (const [name, version] of request.initialVersions) {
      if (this.#isWanted(name)) this.#known.set(name, version === ABSENT ? UNKNOWN : version);
    }
    this.#isEstablished = this.#known.size > 0;
  }

  #applySubscriptions(request: SessionRequest): void {
    if (request.subscribe.length + request.unsubscribe.length > 0) this.#settledAt = null;
    for (const name of request.subscribe) {
      if (name === "*") this.#subscribeAll();
      else this.#subscribe(name);
    }
    for (const name of request.unsubscribe) {
      if (name === "*") this.#unsubscribeAll();
      else if (this.#names.delete(name)) this.#unsubscribed(name);
    }
  }

  // A client may have forgotten what it asks for again, so it is sent again (xDS protocol, "Subscribing to Resources").
  #subscribe(name: string): void {
    this.#names.add(name);
    this.#forget(name);
  }

  #subscribeAll(): void {
    this.#isWildcard = true;
    for (const name of this.#known.keys()) this.#known.set(name, UNKNOWN);
    for (const name of this.#pending?.sent.keys() ?? []) this.#known.set(name, UNKNOWN);
    this.#pending?.sent.clear();
    this.#held.clear();
  }

  #unsubscribeAll(): void {
    this.#isWildcard = false;
    for (const map of [this.#known, this.#held, this.#pending?.sent ?? new Map<string, string>()]) {
      for (const name of map.keys()) if (!this.#names.has(name)) map.delete(name);
    }
  }

  #unsubscribed(name: string): void {
    this.#forget(name);
    // The wildcard may still cover it; the client waits to be told (xDS protocol, "Unsubscribing from Resources").
    if (this.#isWildcard) this.#known.set(name, UNKNOWN);
  }

  #forget(name: string): void {
    this.#known.delete(name);
    this.#held.delete(name);
    this.#pending?.sent.delete(name);
  }

  #applyAnswer(request: SessionRequest, set: PublishedSet | null): Receipt {
    if (request.nonce === "") return { kind: "none" };
    const pending = this.#pending;
    if (pending === null || set === null || pending.nonce !== request.nonce) return { kind: "stale" };
    this.#pending = null;
    if (request.refusal !== null) return this.#refuse(pending, request.refusal, set);
    this.#isEstablished = true;
    this.#enforcedRevision = pending.revision;
    for (const [name, version] of pending.sent) {
      if (version === ABSENT && !this.#names.has(name)) this.#known.delete(name);
      else this.#known.set(name, version);
    }
    return { kind: "ack", version: pending.version };
  }

  #refuse(pending: Pending, refusal: Refusal, set: PublishedSet): Receipt {
    this.#settledAt = null;
    const marked: string[] = [];
    for (const { name, reason } of refusal.resources) {
      const current = set.resources.get(name);
      if (this.#hasMark(name, current)) continue; // refused in its unenforceable form too
      // Not in this response, yet to blame: a change elsewhere can make the version at hand unusable.
      const blamed = pending.sent.get(name) ?? this.#known.get(name);
      if (blamed === current?.version) this.#mark(name, reason, set, marked);
    }
    const isHeld = marked.length === 0;
    if (isHeld) for (const [name, version] of pending.sent) this.#held.set(name, version);
    if (isHeld) this.#heldReason = refusal.message;
    this.#isOwed = !isHeld;
    return { kind: "nack", version: pending.version, refusal, marked, isHeld };
  }

  #hasMark(name: string, current: EncodedResource | undefined): boolean {
    const mark = this.#marks.get(name);
    return mark !== undefined && mark.of === current?.version;
  }

  #mark(name: string, reason: string, set: PublishedSet, marked: string[]): void {
    const current = set.resources.get(name);
    const form = current === undefined ? null : set.unenforceable(name, reason);
    if (current === undefined || form === null) return;
    if (form !== "withheld" && form.version === current.version) return; // it was in that form already
    this.#marks.set(name, { of: current.version, form, reason });
    marked.push(name);
  }

  #send(changes: ReadonlyMap<string, EncodedResource | null>, set: PublishedSet): SessionResponse {
    const sent = new Map<string, string>();
    const resources: (EncodedResource & { readonly name: string })[] = [];
    const removed: string[] = [];
    for (const [name, resource] of changes) {
      sent.set(name, resource?.version ?? ABSENT);
      if (resource === null) removed.push(name);
      else resources.push({ name, version: resource.version, bytes: resource.bytes });
    }
    this.#nonce += 1;
    this.#isOwed = false;
    this.#pending = { nonce: String(this.#nonce), version: set.version, revision: set.revision, sent };
    return { nonce: this.#pending.nonce, version: set.version, resources, removed };
  }

  /** What the client lacks, by name; null where it has, or asked for, what does not exist. */
  #changes(set: PublishedSet): Map<string, EncodedResource | null> {
    const changes = new Map<string, EncodedResource | null>();
    for (const name of this.#candidates(set)) {
      const wanted = this.#isWanted(name) ? this.#form(name, set) : undefined;
      const known = this.#known.get(name);
      if (wanted !== undefined && wanted.version !== known) changes.set(name, wanted);
      const isTold = known === undefined ? !this.#names.has(name) : known === ABSENT;
      if (wanted === undefined && !isTold) changes.set(name, null);
    }
    return changes;
  }

  /** Names that may have to be sent. One edit among many costs one comparison, unless something else is open. */
  *#candidates(set: PublishedSet): Iterable<string> {
    const since = this.#held.size === 0 ? this.#settledAt : null;
    const changed = since === null ? null : set.changedSince(since);
    if (changed !== null) {
      yield* changed;
      return;
    }
    if (this.#isWildcard) yield* set.resources.keys();
    yield* this.#known.keys();
    yield* this.#names;
  }

  #withoutHeld(changes: Map<string, EncodedResource | null>, set: PublishedSet): Map<string, EncodedResource | null> {
    if (this.#held.size === 0) return changes;
    const others = new Map([...changes].filter(([name]) => !this.#held.has(name)));
    const hasMoved = [...this.#held].some(([name, v]) => (this.#form(name, set)?.version ?? ABSENT) !== v);
    // A client that enforces nothing yet takes the set whole: with a part of it, it would become ready without the rest.
    if (!hasMoved && (this.#isEstablished || others.size === 0)) return others;
    this.#held.clear();
    return changes;
  }

  #form(name: string, set: PublishedSet): EncodedResource | undefined {
    const form = this.#marks.get(name)?.form;
    return form === "withheld" ? undefined : (form ?? set.resources.get(name));
  }

  #isWanted(name: string): boolean {
    return this.#isWildcard || this.#names.has(name);
  }
}
