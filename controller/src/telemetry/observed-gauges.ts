import { Gauge, type Registry } from "prom-client";
import type { CertificateExpiry } from "../certificates/open-certificates.ts";
import type { KeySourceHealth } from "../jwks/refresher.ts";
import type { SourceState } from "../sources/source.ts";

/** What is read at each scrape. */
export interface ObservedValues {
  /** Files and objects that can't be used, and faults of the mesh configuration. */
  readonly problems: () => number;
  /** Objects by kind; state `accepted`, `partial` (some field is not enforced) or `invalid`. */
  readonly objectCounts: () => readonly { readonly kind: string; readonly state: string; readonly count: number }[];
  /** Authz-servers with an open stream. */
  readonly connected: () => number;
  /** Sources of keys. */
  readonly keySources: () => readonly KeySourceHealth[];
  /** Certificates of the xDS port. */
  readonly certificates: () => readonly CertificateExpiry[];
  /** Kinds of the API server. */
  readonly kinds: () => readonly SourceState[];
}

/** Registers the gauges that are read at each scrape. */
export function registerObservedGauges(registry: Registry, values: ObservedValues): void {
  const gauge = <L extends string>(name: string, help: string, { labels, samples }: Samples<L>) =>
    new Gauge({
      name: `gatehouse_controller_${name}`,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const [at, value] of samples()) this.set(at, value);
      },
    });
  const ofKeySets = keySetSamples(values);
  gauge(
    "key_sets",
    "Key sets that are fetched.",
    one(() => values.keySources().length),
  );
  gauge(
    "key_set_keys",
    "Usable keys of a fetched key set.",
    ofKeySets(({ keys }) => keys),
  );
  gauge(
    "key_set_age_seconds",
    "Time since a key set was last fetched; -1 if it never was.",
    ofKeySets(({ ageMs }) => (ageMs === null ? -1 : ageMs / 1000)),
  );
  gauge(
    "key_set_next_fetch_timestamp_seconds",
    "When a key set will be fetched next.",
    ofKeySets(({ nextRefreshMs }) => nextRefreshMs / 1000),
  );
  gauge("policies", "Objects by kind and state.", {
    labels: ["kind", "state"],
    samples: () => values.objectCounts().map(({ count, ...at }) => [at, count]),
  });
  gauge("source_problems", "Files or objects of the source that can't be used.", one(values.problems));
  gauge("connected_servers", "Authz-servers with an open stream.", one(values.connected));
  const ofKinds = kindSamples(values);
  gauge(
    "sync_state",
    "1 while a kind is followed; 0 while it is not, and its last good objects serve.",
    ofKinds(({ isFollowing }) => (isFollowing ? 1 : 0)),
  );
  gauge(
    "last_event_age_seconds",
    "Time since the API server last told of a kind; -1 if never.",
    ofKinds(({ silentMs }) => (silentMs === null ? -1 : silentMs / 1000)),
  );
  gauge("certificate_expiry_timestamp_seconds", "When a certificate of the xDS port expires.", {
    labels: ["certificate"],
    samples: () => values.certificates().map(({ certificate, expiresAtMs }) => [{ certificate }, expiresAtMs / 1000]),
  });
}

/** What a gauge shows: one value for each entry that there is at the scrape. */
interface Samples<L extends string> {
  readonly labels: L[];
  readonly samples: () => readonly (readonly [Readonly<Record<L, string>>, number])[];
}

function one(value: () => number): Samples<never> {
  return { labels: [], samples: () => [[{}, value()]] };
}

/** The label is the name of the resource, a hash; /readyz?verbose says which issuer it stands for. */
function keySetSamples({
  keySources,
}: ObservedValues): (value: (health: KeySourceHealth) => number) => Samples<"key_set"> {
  return (value) => ({
    labels: ["key_set"],
    samples: () => withOldest(keySources()).map((health) => [{ key_set: health.keySet }, value(health)]),
  });
}

/** Key sets with series of their own: tenants can name more than a scrape should carry. */
const MAX_KEY_SETS = 1000;

/** Of too many those that were fetched longest ago, or never: they are the ones to look at. */
function withOldest(sources: readonly KeySourceHealth[]): readonly KeySourceHealth[] {
  if (sources.length <= MAX_KEY_SETS) return sources;
  const age = ({ ageMs }: KeySourceHealth) => ageMs ?? Number.MAX_VALUE;
  return sources.toSorted((a, b) => age(b) - age(a)).slice(0, MAX_KEY_SETS);
}

function kindSamples({ kinds }: ObservedValues): (value: (state: SourceState) => number) => Samples<"kind"> {
  return (value) => ({ labels: ["kind"], samples: () => kinds().map((state) => [{ kind: state.kind }, value(state)]) });
}
