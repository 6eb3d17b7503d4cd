import { hash } from "node:crypto";
import { type ObjectKey, type ParsedObject, parseManifests, parseObject } from "@gatehouse/controller/resources";
import {
  type MeshSettings,
  parseMeshConfig,
  type Report,
  type Translated,
  translateInvalid,
  translateObject,
} from "@gatehouse/controller/translate";
import { type PolicyResource, resourceName } from "@gatehouse/protos";
import {
  type CheckRequest,
  type CheckResponse__Output,
  decodeResource,
  encodeResource,
  loadExtAuthz,
} from "@gatehouse/protos/wire";
import { type Logger, pino } from "pino";
import { Registry } from "prom-client";
import { Providers } from "../../authz-server/src/custom/providers.ts";
import type { PolicyIndex } from "../../authz-server/src/policy/policy-index.ts";
import { applyUpdate } from "../../authz-server/src/policy-update.ts";
import { createCheckHandler } from "../../authz-server/src/server/check-service.ts";
import { PolicyState } from "../../authz-server/src/state.ts";
import { createAuthzMetrics } from "../../authz-server/src/telemetry/metrics.ts";
import { splitKey } from "../../controller/src/conditions/resource-kinds.ts";
import type { HostOwnership } from "../../controller/src/tenancy/host-claims.ts";
import { Tenancy } from "../../controller/src/tenancy/tenancy.ts";

/** Kubernetes YAML, or objects as a parser of YAML would give them. */
export type Policies = string | readonly unknown[];

/** What the handler is given. */
export interface CheckHarnessOptions {
  readonly policies: Policies;
  /** MeshConfig YAML. */
  readonly meshConfig?: string;
  readonly settings?: MeshSettings;
  /** As `--host-ownership`; default shared. */
  readonly hostOwnership?: HostOwnership;
  /** Milliseconds since the epoch; default the real clock. */
  readonly nowMs?: () => number;
  /** How much is remembered of verified tokens. */
  readonly tokenCache?: { readonly entries: number; readonly bytes: number };
}

/** One request; what is left out is an ordinary GET of /headers to a service of `foo` labelled app=httpbin. */
export interface CheckInput {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  /** Names in lower case. A text is sent as UTF-8. */
  readonly headers?: readonly (readonly [string, string | Uint8Array])[];
  /** Sent as `authorization: Bearer ...`. */
  readonly token?: string;
  readonly namespace?: string;
  readonly labels?: string;
  readonly gateways?: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly principal?: string;
  /** Address of the direct peer. */
  readonly sourceAddress?: string;
  readonly destinationPort?: number;
  /** Left out: without TLS. */
  readonly sni?: string;
  /** As an Envoy without `encode_raw_headers` sends them: one line a name, joined by `,`. */
  readonly joinedHeaders?: boolean;
}

/** What Envoy reads in the answer. */
export interface CheckAnswer {
  /** gRPC code of the CheckResponse: in Envoy 0 is allow, whatever else the message holds. */
  readonly code: number;
  /** HTTP status that the client gets; 200 when allowed. */
  readonly status: number;
  readonly body: string;
  /** Headers of a denial. */
  readonly headers: ReadonlyMap<string, string>;
  /** Request headers that are set, values as bytes. */
  readonly set: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  readonly bytes: Uint8Array;
}

/** The handler of the request path over policies given as YAML, from bytes to bytes, without a transport. */
export interface CheckHarness {
  check(input?: CheckInput): Promise<CheckAnswer>;
  /** Bytes of a CheckRequest, from the Envoy of foo/app=httpbin. Throws what the handler throws. */
  checkBytes(message: Uint8Array): Promise<CheckAnswer>;
  /** The handler itself, from bytes to bytes, to measure it. @param identity as `identityOf` gives it */
  handle(message: Uint8Array, identity: ReadonlyMap<string, string>): Uint8Array | Promise<Uint8Array>;
  /** Replaces all policies. */
  apply(policies: Policies): Promise<void>;
  /** What translation said about the policies. */
  reports(): readonly Report[];
  log(): readonly string[];
  metrics(): Promise<string>;
  /** Closes the connections to CUSTOM providers. */
  stop(): void;
}

/** Builds it. Throws when the policies can't be parsed as YAML. */
export async function createCheckHarness(options: CheckHarnessOptions): Promise<CheckHarness> {
  const state = new PolicyState();
  const registry = new Registry();
  const lines: string[] = [];
  const log: Logger = pino({ base: null, level: "debug" }, { write: (line: string) => void lines.push(line) });
  const nowMs = options.nowMs ?? Date.now;
  const metrics = createAuthzMetrics(registry, nowMs);
  const { tokenCache } = options;
  const cache = tokenCache === undefined ? {} : { tokenCache };
  const providers = new Providers({ metrics, log });
  const handler = createCheckHandler({ state, metrics, log, nowMs, askProvider: providers.ask, ...cache });
  let reports: readonly Report[] = [];
  const apply = async (policies: Policies): Promise<void> => {
    const translated = withTenancy(translatePolicies(policies), options.hostOwnership ?? "shared");
    reports = translated.map(({ report }) => report);
    const index = await indexOf(
      translated.flatMap(({ resources }) => resources),
      options,
    );
    state.swap(index);
    providers.update(index.set.providers);
  };
  await apply(options.policies);
  const ask = async (message: Uint8Array, identity: ReadonlyMap<string, string>): Promise<CheckAnswer> =>
    readAnswer(await handler(message, identity, null));
  return {
    check: (input = {}) => ask(encodeCheck(input), identityOf(input)),
    checkBytes: (message) => ask(message, identityOf({})),
    handle: (message, identity) => handler(message, identity, null),
    apply,
    reports: () => reports,
    log: () => lines,
    metrics: () => registry.metrics(),
    stop: () => providers.stop(),
  };
}

/** Lays over the objects what they make of each other. */
function withTenancy(all: readonly Translated[], hostOwnership: HostOwnership): readonly Translated[] {
  const limits = { namespaceBytes: 16 << 20, totalBytes: 56 << 20 };
  const tenancy = new Tenancy({ hostOwnership, limits, hash: CONTEXT.hash });
  const entries = all.map((translated) => [keyOf(translated.report.ref), translated] as const);
  for (const [key, translated] of entries) tenancy.set(key, translated, 0);
  tenancy.settle();
  return entries.map(([key, translated]) => tenancy.apply(key, translated));
}

function keyOf({ kind, namespace, name }: Report["ref"]): ObjectKey {
  const key = splitKey(`${kind}/${namespace}/${name}`);
  if (key === null) throw new Error(`${kind} is no kind of object`);
  return `${key.kind}/${namespace}/${name}`;
}

/** What the controller makes of objects. Throws for what is none of ours. */
export function translatePolicies(policies: Policies): readonly Translated[] {
  if (typeof policies !== "string") return policies.map(translateDocument);
  const manifests = parseManifests(policies, "test.yaml");
  if (manifests.problems.length > 0) throw new Error(`not readable: ${JSON.stringify(manifests.problems)}`);
  return manifests.resources.map(translateParsed);
}

function translateDocument(document: unknown): Translated {
  const parsed = parseObject(document);
  if (parsed.kind !== "valid" && parsed.kind !== "invalid")
    throw new Error(`${parsed.kind}: ${JSON.stringify(document)}`);
  return translateParsed(parsed);
}

/** What the controller makes of one object that was read. */
export function translateParsed(parsed: Extract<ParsedObject, { readonly kind: "valid" | "invalid" }>): Translated {
  return parsed.kind === "valid" ? translateObject(parsed.object, CONTEXT) : translateInvalid(parsed.object, CONTEXT);
}

const CONTEXT = { dnsSuffix: "svc.cluster.local", hash: (text: string) => hash("sha256", text) };

/** Prepares resources, once over the wire and back, with a MeshConfig. */
export async function indexOf(
  resources: readonly PolicyResource[],
  options: Pick<CheckHarnessOptions, "meshConfig" | "settings"> = {},
): Promise<PolicyIndex> {
  const { meshConfig, providers, errors } = parseMeshConfig(options.meshConfig ?? "", options.settings);
  if (errors.length > 0) throw new Error(`bad MeshConfig: ${JSON.stringify(errors)}`);
  const all = [meshConfig, ...providers, ...resources];
  const byName = new Map(all.map((resource) => [resourceName(resource), decodeResource(encodeResource(resource))]));
  const prepared = await applyUpdate(null, { upserts: [...byName.values()], removed: [] });
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors));
  return prepared.index;
}

/** The bytes that Envoy would send for a request. */
export function encodeCheck(input: CheckInput): Uint8Array {
  const { method = "GET", path = "/headers", host = "httpbin.foo", scheme = "http", headers = [], token } = input;
  const lines: (readonly [string, string | Uint8Array])[] = [
    [":authority", host],
    [":path", path],
    [":method", method],
    [":scheme", scheme],
    ...(token === undefined ? [] : [["authorization", `Bearer ${token}`] as const]),
    ...headers,
  ];
  const request: CheckRequest = {
    attributes: {
      source: { address: socket(input.sourceAddress ?? "10.0.0.1", 40_000), principal: input.principal ?? "" },
      destination: { address: socket("10.0.0.2", input.destinationPort ?? 8080) },
      contextExtensions: Object.entries(input.contextExtensions ?? {}).map(([key, value]) => ({ key, value })),
      ...(input.sni === undefined ? {} : { tlsSession: { sni: input.sni } }),
      request: {
        http: {
          method,
          path,
          host,
          scheme,
          ...(input.joinedHeaders === true
            ? { headers: lines.map(([key, value]) => ({ key, value: String(value) })) }
            : { headerMap: { headers: lines.map(([key, value]) => ({ key, rawValue: Buffer.from(value) })) } }),
        },
      },
    },
  };
  return SERVICE.requestSerialize(request);
}

const SERVICE = loadExtAuthz().service.Check;

function socket(
  address: string,
  portValue: number,
): { readonly socketAddress: { address: string; portValue: number } } {
  return { socketAddress: { address, portValue } };
}

/** Who the Envoy of a request says it is, as metadata of the call. */
export function identityOf({
  namespace = "foo",
  labels = "app=httpbin",
  gateways = "",
}: CheckInput): Map<string, string> {
  const entries = [
    ["gatehouse-namespace", namespace],
    ["gatehouse-labels", labels],
    ["gatehouse-gateways", gateways],
  ] as const;
  return new Map(entries.filter(([, value]) => value !== ""));
}

/** Reads an answer as Envoy does. */
export function readAnswer(bytes: Uint8Array): CheckAnswer {
  const response: CheckResponse__Output = SERVICE.responseDeserialize(Buffer.from(bytes));
  const code = response.status?.code ?? 0;
  const denied = response.deniedResponse;
  return {
    code,
    status: code === 0 ? 200 : (denied?.status?.code ?? 403),
    body: denied?.body ?? "",
    headers: new Map((denied?.headers ?? []).map(({ header }) => [header?.key ?? "", header?.value ?? ""])),
    set: new Map((response.okResponse?.headers ?? []).map(({ header }) => [header?.key ?? "", header?.value ?? ""])),
    removed: response.okResponse?.headersToRemove ?? [],
    bytes,
  };
}
