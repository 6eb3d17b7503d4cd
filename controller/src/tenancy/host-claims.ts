import { type Gateway, type GatewayHost, GatewayHosts, HostPatterns, type VirtualService } from "@gatehouse/protos";
import type { ObjectKey } from "../resources/object.ts";
import type { Diagnostic } from "../translate/index.ts";
import { type Claim, type Claimant, judgeHost } from "./judge-host.ts";
import { compareAge } from "./object-order.ts";
import { signaturesOf } from "./route-signatures.ts";

/** Who may have routes for a host: every namespace, as in Istio, or the namespace of the oldest VirtualService that has it. */
export type HostOwnership = "shared" | "first-namespace";

/** What the others make of one VirtualService. */
export interface HostVerdict {
  readonly diagnostics: readonly Diagnostic[];
  /** Hosts at which its routes are not used. */
  readonly refused: readonly GatewayHost[];
}

/** Hosts at gateways that an object may claim which there is no room for: its hosts stay its own, unless it has very many. */
const MAX_REFUSED_CLAIMS = 256;

/** More remarks than this about one object help nobody. */
const MAX_DIAGNOSTICS = 10;

interface Service extends Claimant {
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  /** Its claims count. */
  isPlaced: boolean;
  claims: readonly Claim[];
  /** By gateway and host; only where there is something to say. */
  readonly verdicts: Map<string, HostVerdict>;
}

/** One gateway: who claims which host there. */
interface Board {
  readonly claims: Map<string, Claim[]>;
  readonly dirty: Set<string>;
  /** With `first-namespace`: of each wildcard the oldest that has it, or a wider one. */
  owners: HostPatterns<Claimant>;
}

/**
 * Which VirtualServices have hosts in common, gateway by gateway. A change costs what shares a host with it; a wildcard, with
 * `first-namespace`, all that it covers.
 */
export class HostClaims {
  readonly #ownership: HostOwnership;
  readonly #hash: (text: string) => string;
  readonly #services = new Map<ObjectKey, Service>();
  /** What each Gateway offers, by name. */
  readonly #gateways = new Map<string, GatewayHosts>();
  readonly #bound = new Map<string, Set<ObjectKey>>();
  readonly #boards = new Map<string, Board>();
  /** Came, or changed, since they were placed. */
  readonly #fresh = new Set<ObjectKey>();
  /** Lost hosts about which they had been told something. */
  readonly #moved = new Set<ObjectKey>();

  /** @param hash SHA-256 in hex */
  constructor(ownership: HostOwnership, hash: (text: string) => string) {
    this.#ownership = ownership;
    this.#hash = hash;
  }

  /** Takes in the newest form of an object, `refusedHosts` left aside. */
  set(key: ObjectKey, resource: VirtualService | Gateway): void {
    if (resource.kind === "Gateway") this.#setGateway(nameOf(resource.meta), resource);
    else this.#setService(key, resource);
  }

  delete(key: ObjectKey): void {
    const [kind, ...rest] = key.split("/");
    if (kind === "Gateway") this.#setGateway(rest.join("/"), null);
    else this.#forget(key);
  }

  verdictOf(key: ObjectKey): HostVerdict {
    const verdicts = [...(this.#services.get(key)?.verdicts.values() ?? [])];
    return {
      diagnostics: verdicts.flatMap(({ diagnostics }) => diagnostics).slice(0, MAX_DIAGNOSTICS),
      refused: verdicts.flatMap(({ refused }) => refused),
    };
  }

  /**
   * Judges anew what changed. Only now claims are made: one object can name thousands of hosts at thousands of gateways.
   * @param isAccepted whether there is room for an object
   * @param turned objects of which that has changed
   * @returns the VirtualServices with another verdict than before
   */
  settle(
    isAccepted: (key: ObjectKey) => boolean = () => true,
    turned: Iterable<ObjectKey> = [],
  ): ReadonlySet<ObjectKey> {
    for (const key of new Set([...this.#fresh, ...turned])) {
      const service = this.#services.get(key);
      if (service === undefined) continue;
      service.isPlaced = isAccepted(key) || claimCount(service) <= MAX_REFUSED_CLAIMS;
      this.#place(service);
    }
    this.#fresh.clear();
    const changed = new Set([...this.#moved].filter((key) => this.#services.has(key)));
    this.#moved.clear();
    for (const [gateway, board] of this.#boards) {
      const hosts = this.#toJudge(board);
      if (hosts.some(isWildcard)) board.owners = without(new Set(hosts), board.owners);
      for (const host of hosts) this.#judge(gateway, board, host, changed);
      board.dirty.clear();
      if (board.claims.size === 0) this.#boards.delete(gateway);
    }
    return changed;
  }

  #setGateway(name: string, gateway: Gateway | null): void {
    if (gateway === null) this.#gateways.delete(name);
    else this.#gateways.set(name, offeredBy(gateway));
    for (const key of this.#bound.get(name) ?? []) {
      const service = this.#services.get(key);
      if (service !== undefined) this.#place(service);
    }
  }

  #setService(key: ObjectKey, resource: VirtualService): void {
    const { meta, hosts, exportTo } = resource;
    const before = this.#services.get(key);
    if (before !== undefined) this.#forget(key);
    // Sidecars have no route tables here, and what is exported to nobody is bound nowhere.
    const gateways = exportTo.includes("~") ? [] : resource.gateways.filter((gateway) => gateway !== "mesh");
    const service: Service = {
      key,
      namespace: meta.namespace,
      name: meta.name,
      createdAtMs: meta.createdAtMs,
      visibility: exportTo.length === 0 || exportTo.includes("*") ? "*" : exportTo.toSorted().join(),
      hosts,
      gateways: [...new Set(gateways)],
      routes: signaturesOf(resource, this.#hash),
      isPlaced: false,
      claims: [],
      verdicts: new Map(before?.verdicts),
    };
    this.#services.set(key, service);
    for (const gateway of service.gateways) {
      this.#bound.set(gateway, (this.#bound.get(gateway) ?? new Set()).add(key));
    }
    this.#fresh.add(key);
  }

  #forget(key: ObjectKey): void {
    const service = this.#services.get(key);
    if (service === undefined) return;
    this.#services.delete(key);
    this.#fresh.delete(key);
    this.#withdraw(service);
    for (const gateway of service.gateways) {
      const bound = this.#bound.get(gateway);
      bound?.delete(key);
      if (bound?.size === 0) this.#bound.delete(gateway);
    }
  }

  /** Puts the claims of a VirtualService where its gateways let it have them. */
  #place(service: Service): void {
    this.#withdraw(service);
    const wanted = new HostPatterns(service.isPlaced ? service.hosts.map((host, index) => [host, index]) : []);
    service.claims = service.gateways.flatMap((gateway) => this.#claimsAt(gateway, service, wanted));
    for (const claim of service.claims) {
      const board = this.#boards.get(claim.gateway) ?? newBoard();
      this.#boards.set(claim.gateway, board);
      const claims = board.claims.get(claim.host) ?? [];
      claims.splice(placeAmong(claims, service), 0, claim);
      board.claims.set(claim.host, claims);
      board.dirty.add(claim.host);
    }
    // What it was told of hosts that it no longer has.
    const places = new Set(service.claims.map(placeOf));
    for (const place of service.verdicts.keys()) {
      if (places.has(place)) continue;
      service.verdicts.delete(place);
      this.#moved.add(service.key);
    }
  }

  #withdraw(service: Service): void {
    for (const { gateway, host } of service.claims) {
      const board = this.#boards.get(gateway);
      const others = board?.claims.get(host)?.filter(({ by }) => by.key !== service.key) ?? [];
      board?.dirty.add(host);
      if (others.length === 0) board?.claims.delete(host);
      else board?.claims.set(host, others);
    }
    service.claims = [];
  }

  /** As the servers bind them; of several ports that have a host, it is one claim. @param wanted positions of the hosts as written */
  #claimsAt(gateway: string, service: Service, wanted: HostPatterns<number>): readonly Claim[] {
    const offered = this.#gateways.get(gateway) ?? ALL_HOSTS;
    return Array.from(offered.commonWith(wanted, service.namespace), (host) => {
      const index = wanted.covering(host)[0]?.value ?? 0;
      return { by: service, gateway, host, index };
    });
  }

  /** Wide hosts first, so that their owner is known when those come that they cover. */
  #toJudge({ claims, dirty }: Board): readonly string[] {
    const hosts = new Set(dirty);
    if (this.#ownership === "first-namespace") {
      const wild = new HostPatterns([...dirty].filter(isWildcard).map((host) => [host, undefined]));
      if (wild.size > 0) for (const host of claims.keys()) if (wild.covering(host).length > 0) hosts.add(host);
    }
    const rank = (host: string) => (isWildcard(host) ? host.length : Number.POSITIVE_INFINITY);
    return [...hosts].toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  }

  #judge(gateway: string, board: Board, host: string, changed: Set<ObjectKey>): void {
    const claims = board.claims.get(host) ?? [];
    const owner = this.#ownership === "shared" ? null : this.#ownerOf(board, host, claims);
    if (owner !== null && claims.length > 0 && isWildcard(host)) board.owners.add(host, owner);
    for (const [key, verdict] of judgeHost({ gateway, host }, claims, owner)) {
      const verdicts = this.#services.get(key)?.verdicts;
      if (verdicts === undefined) continue;
      const place = placeOf({ gateway, host });
      if (JSON.stringify(verdicts.get(place) ?? NOTHING) === JSON.stringify(verdict)) continue;
      if (verdict.diagnostics.length + verdict.refused.length === 0) verdicts.delete(place);
      else verdicts.set(place, verdict);
      changed.add(key);
    }
  }

  /** The oldest of those that have the host and of the owners of wider ones. */
  #ownerOf(board: Board, host: string, claims: readonly Claim[]): Claimant | null {
    const candidates = claims.slice(0, 1).map(({ by }) => by);
    for (const { value } of board.owners.covering(host)) candidates.push(value);
    return candidates.toSorted(compareAge)[0] ?? null;
  }
}

/** How many hosts at gateways a VirtualService may have. */
export function claimCount({ hosts, gateways }: Pick<VirtualService, "hosts" | "gateways">): number {
  return hosts.length * gateways.filter((gateway) => gateway !== "mesh").length;
}

function offeredBy({ servers, meta }: Gateway): GatewayHosts {
  return new GatewayHosts(
    servers.flatMap(({ hosts }) => hosts),
    meta.namespace,
  );
}

/** Of a gateway without a Gateway. */
const ALL_HOSTS = new GatewayHosts(["*"], "");

function newBoard(): Board {
  return { claims: new Map(), dirty: new Set(), owners: new HostPatterns() };
}

const NOTHING: HostVerdict = { diagnostics: [], refused: [] };

function placeOf({ gateway, host }: GatewayHost): string {
  return `${gateway} ${host}`;
}

function nameOf({ namespace, name }: Gateway["meta"]): string {
  return `${namespace}/${name}`;
}

function isWildcard(host: string): boolean {
  return host.includes("*");
}

function without(hosts: ReadonlySet<string>, owners: HostPatterns<Claimant>): HostPatterns<Claimant> {
  const kept = [...owners.entries].filter(({ pattern }) => !hosts.has(pattern));
  return new HostPatterns(kept.map(({ pattern, value }) => [pattern, value]));
}

/** By halves: one host may have thousands. */
function placeAmong(claims: readonly Claim[], service: Service): number {
  let [low, high] = [0, claims.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = claims[middle];
    if (other !== undefined && compareAge(other.by, service) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
