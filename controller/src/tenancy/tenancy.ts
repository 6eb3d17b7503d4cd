import { keySetResourceName, type PolicyResource, type VirtualService } from "@gatehouse/protos";
import type { ObjectKey } from "../resources/object.ts";
import type { Diagnostic, Translated } from "../translate/index.ts";
import { toReport } from "../translate/report.ts";
import { closedForm, sealedNamespace } from "./closed-form.ts";
import { delegateBytes, delegatesOf } from "./delegate-bytes.ts";
import { claimCount, HostClaims, type HostOwnership } from "./host-claims.ts";
import { NamespaceQuota, type QuotaLimits, type QuotaVerdict } from "./namespace-quota.ts";
import { regexBytes } from "./regex-bytes.ts";

/** What tenants may do to each other. */
export interface TenancyOptions {
  readonly hostOwnership: HostOwnership;
  readonly limits: QuotaLimits;
  /** SHA-256 of a text, in hex. */
  readonly hash: (text: string) => string;
}

/** What changed about objects because of others. */
export interface TenancyChange {
  /** Their verdicts differ from before. */
  readonly objects: ReadonlySet<ObjectKey>;
  /** What is published for a namespace as a whole; null: nothing any more. */
  readonly seals: ReadonlyMap<string, PolicyResource | null>;
}

/** The first reader that knows `refusedHosts`; an older one would use routes that it must not. */
const REFUSED_HOSTS_READER_VERSION = 3;

/**
 * What objects make of each other: hosts that several want, and room that one namespace would take from all. Translation knows nothing of
 * it; the verdict is laid over its result.
 */
export class Tenancy {
  readonly #hosts: HostClaims;
  readonly #quota: NamespaceQuota;
  readonly #limits: QuotaLimits;
  readonly #sealed = new Set<string>();
  /** What one merging of each delegate takes. */
  readonly #delegates = new Map<string, number>();

  constructor({ hostOwnership, limits, hash }: TenancyOptions) {
    this.#hosts = new HostClaims(hostOwnership, hash);
    this.#quota = new NamespaceQuota(limits);
    this.#limits = limits;
  }

  /** Takes in what an object was translated to. @param bytes of its resources on the wire, without the key sets that are fetched */
  set(key: ObjectKey, { resources, report, keySources }: Translated, bytes: number): void {
    const own = resources[0];
    const meta = own !== undefined && "meta" in own ? own.meta : { createdAtMs: 0 };
    const { namespace, name } = report.ref;
    const closed = own === undefined ? null : closedForm(own, this.#quotaMessage(namespace));
    this.#quota.set({
      key,
      namespace,
      name,
      createdAtMs: meta.createdAtMs,
      bytes: own?.kind === "VirtualService" ? bytes + CLAIM_BYTES * claimCount(own) + regexBytes(own) : bytes,
      closedBytes: closed === null ? null : wireBytes(key, JSON.stringify(closed).length),
      parts:
        own?.kind === "VirtualService"
          ? delegatesOf(own)
          : new Map(keySources.map(({ keySet }) => [keySetResourceName(keySet), 1])),
    });
    this.#setRoutes(key, own?.kind === "VirtualService" ? own : null);
    if (own?.kind === "VirtualService" || own?.kind === "Gateway") this.#hosts.set(key, own);
  }

  /** @param own null: it has none, or none any more */
  #setRoutes(key: ObjectKey, own: VirtualService | null): void {
    if (own === null) {
      if (this.#delegates.delete(key)) this.#quota.setPart(key, 0);
      return;
    }
    for (const name of delegatesOf(own).keys()) this.#quota.setPart(name, this.#delegates.get(name) ?? 0);
    const bytes = delegateBytes(own);
    this.#delegates.set(key, bytes);
    this.#quota.setPart(key, bytes);
  }

  delete(key: ObjectKey): void {
    this.#quota.delete(key);
    this.#hosts.delete(key);
    this.#setRoutes(key, null);
  }

  /** @param name of the resource */
  setKeySet(name: string, bytes: number): void {
    this.#quota.setPart(name, Math.max(bytes, MIN_KEY_SET_BYTES));
  }

  setMesh(mesh: readonly PolicyResource[]): void {
    for (const resource of mesh) {
      if (resource.kind === "MeshConfig") this.#quota.rootNamespace = resource.rootNamespace;
    }
  }

  /** Judges what changed since the last call. */
  settle(): TenancyChange {
    const { objects, namespaces } = this.#quota.settle();
    const seals = new Map<string, PolicyResource | null>();
    for (const namespace of namespaces) {
      const isSealed = this.#quota.isSealed(namespace);
      if (isSealed === this.#sealed.has(namespace)) continue;
      if (isSealed) this.#sealed.add(namespace);
      else this.#sealed.delete(namespace);
      seals.set(namespace, isSealed ? sealedNamespace(namespace, this.#quotaMessage(namespace)) : null);
    }
    const contested = this.#hosts.settle((key) => this.#quota.verdictOf(key) === null, objects);
    return { objects: new Set([...objects, ...contested]), seals };
  }

  /** Lays the verdict over what an object was translated to. */
  apply(key: ObjectKey, translated: Translated): Translated {
    const verdict = this.#quota.verdictOf(key);
    return verdict === null ? this.#withHosts(key, translated) : this.#refused(translated, verdict);
  }

  #refused({ resources, report }: Translated, verdict: QuotaVerdict): Translated {
    const message = this.#quotaMessage(report.ref.namespace);
    const own = verdict === "closed" ? resources[0] : undefined;
    const form = own === undefined ? null : closedForm(own, message);
    const remark: Diagnostic = { path: "", reason: "QuotaExceeded", message };
    return {
      resources: form === null ? [] : [form],
      keySources: [],
      report: toReport(report.ref, [...report.diagnostics, remark]),
    };
  }

  #withHosts(key: ObjectKey, translated: Translated): Translated {
    const { diagnostics, refused } = this.#hosts.verdictOf(key);
    if (diagnostics.length === 0) return translated;
    const { ref } = translated.report;
    const report = toReport(ref, [...translated.report.diagnostics, ...diagnostics]);
    if (refused.length === 0) return { ...translated, report };
    const resources = translated.resources.map((resource): PolicyResource => {
      if (resource.kind !== "VirtualService") return resource;
      const minReaderVersion = Math.max(resource.meta.minReaderVersion, REFUSED_HOSTS_READER_VERSION);
      return { ...resource, meta: { ...resource.meta, minReaderVersion }, refusedHosts: refused };
    });
    return { ...translated, resources, report };
  }

  // No figures that change with every object: each would be written to the status of all.
  #quotaMessage(namespace: string): string {
    const { namespaceBytes, totalBytes } = this.#limits;
    const cause = this.#quota.isOverItsOwn(namespace)
      ? `the policy of namespace ${namespace} is larger than ${namespaceBytes} bytes`
      : `the policy of all namespaces is larger than ${totalBytes} bytes, and that of ${namespace} among the largest`;
    return `${cause}; its newest objects are refused until there are fewer or smaller ones`;
  }
}

/** A host of a VirtualService at one gateway costs the controller some hundred bytes; a short object can have millions. */
const CLAIM_BYTES = 128;

/** A source of keys costs the controller about that, even while it has none. */
const MIN_KEY_SET_BYTES = 1024;

/** What a resource takes in a response, apart from its content: name, version, type and lengths. */
const RESOURCE_OVERHEAD = 32 + 53 + 24;

/** @param bytes of the content */
export function wireBytes(name: string, bytes: number): number {
  return name.length + bytes + RESOURCE_OVERHEAD;
}
