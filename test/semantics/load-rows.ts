import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { CaseObject, CaseRequest, CaseWorkload, ConformanceCase } from "../conformance/case.ts";
import { publicJwks } from "../support/jwt.ts";
import type { Row, Send, Verdict } from "./row.ts";
import { ISSUERS, mintTokens } from "./tokens.ts";

/** A row with all its placeholders filled in, as a scenario that the conformance runners take. */
export interface LoadedRow {
  readonly row: Row;
  readonly scenario: ConformanceCase;
  /** The requests of the scenario with what they get, in order. */
  readonly exchanges: readonly { readonly send: Send; readonly request: CaseRequest }[];
}

/** A row of validation with its object, placeholders filled in. */
export interface LoadedVerdict {
  readonly verdict: Verdict;
  readonly object: CaseObject;
}

/** A file of `rows/`; its `fixtures` are only there for YAML aliases. */
interface RowFile {
  readonly fixtures?: unknown;
  readonly rows: readonly Row[];
}

/** The rows of one file. @param name without `.yaml` */
export async function loadRows(name: string): Promise<readonly LoadedRow[]> {
  const texts = await placeholderTexts();
  return readRows(name).map((row) => loadRow(fillIn({ ...row, sends: row.sends.map(withToken) }, texts)));
}

/** What validation says of objects, from validation.yaml. */
export async function loadVerdicts(): Promise<readonly LoadedVerdict[]> {
  const texts = await placeholderTexts();
  return readVerdicts().map((written) => {
    const verdict = fillIn(written, texts);
    const [title = "", spec = null] = Object.entries(verdict.object)[0] ?? [];
    const [kind = "", ...annotation] = title.split(" ");
    return { verdict, object: toObject([[kind, "foo/x", ...annotation].join(" "), spec], 0) };
  });
}

/** The rows of validation.yaml as they are written. */
export function readVerdicts(): readonly Verdict[] {
  return parse(readFileSync(new URL("validation.yaml", import.meta.url), "utf8"));
}

/** The rows of one file as they are written. */
export function readRows(name: string): readonly Row[] {
  const file: RowFile = parse(readFileSync(new URL(`${name}.yaml`, ROWS), "utf8"), YAML_OPTIONS);
  return file.rows;
}

function withToken(send: Send): Send {
  if (send.token === undefined) return send;
  return { ...send, headers: [`Authorization: Bearer \${${send.token}}`, ...(send.headers ?? [])] };
}

/** The names of all files of rows. */
export function rowFiles(): readonly string[] {
  return readdirSync(ROWS)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .toSorted();
}

const ROWS = new URL("rows/", import.meta.url);

// The rows are ours and full of aliases; the limit is against strangers.
const YAML_OPTIONS = { merge: true, maxAliasCount: -1 };

let texts: Promise<ReadonlyMap<string, string>> | undefined;

/** `${T1}`, `${T1.payload}`, `${i1}`, `${jwks}`, `${jwks:ec-p256}`. */
function placeholderTexts(): Promise<ReadonlyMap<string, string>> {
  texts ??= mintTokens(Math.floor(Date.now() / 1000)).then((tokens) => {
    const filled = new Map<string, string>([
      ...Object.entries(ISSUERS),
      ["jwks", publicJwks()],
      ["a255", "a".repeat(255)],
    ]);
    for (const key of ["rogue-rsa-2048", "ec-p256", "oct-512", "ed25519"] as const) {
      filled.set(`jwks:${key}`, publicJwks(key));
    }
    filled.set("jwks:two-keys-of-one-kid", twoKeysOfOneKid());
    for (const [name, token] of tokens) {
      filled.set(name, token);
      filled.set(`${name}.payload`, token.split(".")[1] ?? "");
    }
    return filled;
  });
  return texts;
}

/** The second key is the right one. */
function twoKeysOfOneKid(): string {
  const [right] = JSON.parse(publicJwks()).keys;
  const [wrong] = JSON.parse(publicJwks("rogue-rsa-2048")).keys;
  return JSON.stringify({ keys: [{ ...wrong, kid: right.kid }, right] });
}

function fillIn<Value>(value: Value, filled: ReadonlyMap<string, string>): Value;
function fillIn(value: unknown, filled: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return fillInText(value, filled);
  if (Array.isArray(value)) return value.map((item) => fillIn(item, filled));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [fillInText(key, filled), fillIn(item, filled)]),
  );
}

function fillInText(text: string, filled: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    const found = filled.get(name);
    if (found === undefined) throw new Error(`test/semantics/rows names an unknown \${${name}}`);
    return found;
  });
}

const SIDECAR: CaseWorkload = {
  kind: "sidecar",
  namespace: "foo",
  labels: { app: "httpbin" },
  gateways: [],
  ports: [8080],
};

const GATEWAY: CaseWorkload = {
  kind: "gateway",
  namespace: "istio-system",
  labels: { istio: "ingressgateway" },
  gateways: ["foo/gw"],
  ports: [8080],
};

/** What VirtualServices of the rows route to. */
const SERVICES = ["a", "b", "c"].map((name) => ({ host: `${name}.foo.svc.cluster.local`, port: 80, subsets: [] }));

function loadRow(row: Row): LoadedRow {
  const workload = row.at === "gateway" ? GATEWAY : { ...SIDECAR, ...row.at };
  const exchanges = row.sends.map((send, index) => ({ send, request: toRequest(send, index) }));
  const scenario: ConformanceCase = {
    id: row.id,
    group: "semantics",
    description: row.says,
    envoyRejects: "",
    workload,
    meshConfig: row.mesh ?? {},
    services: workload.kind === "gateway" ? SERVICES : [],
    resources: (row.policies ?? []).flatMap((policy) => Object.entries(policy)).map(toObject),
    requests: exchanges.map(({ request }) => request),
  };
  return { row, scenario, exchanges };
}

/** Objects are older the earlier they stand. */
function toObject(
  [title, spec]: readonly [string, Readonly<Record<string, unknown>> | null],
  index: number,
): CaseObject {
  const [kind = "", path = "", annotation] = title.split(" ");
  const [namespace = "", name = ""] = path.includes("/") ? path.split("/") : ["foo", path];
  const group = kind === "VirtualService" || kind === "Gateway" ? "networking" : "security";
  return {
    apiVersion: `${group}.istio.io/v1`,
    kind,
    metadata: {
      name,
      namespace,
      creationTimestamp: `2026-01-01T00:00:${String(index).padStart(2, "0")}Z`,
      ...(annotation === undefined ? {} : { annotations: { "istio.io/dry-run": annotation.replace("dry-run=", "") } }),
    },
    spec: spec ?? {},
  };
}

function toRequest(send: Send, index: number): CaseRequest {
  const [method = "GET", path = "/"] = (send.send ?? "GET /").split(" ");
  const tls = send.principal !== undefined || send.sni !== undefined;
  return {
    name: `request ${index}`,
    method,
    authority: send.host ?? "httpbin.foo",
    path,
    headers: (send.headers ?? []).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    port: send.port ?? 8080,
    sourceIp: send.from ?? "127.0.0.1",
    ...(send.metadata === undefined ? {} : { filterMetadata: send.metadata }),
    ...(tls ? { tls: { principal: send.principal ?? "", sni: send.sni ?? "" } } : {}),
    expect: { status: statusOf(send), body: undefined, responseHeaders: {}, upstream: undefined, rbacStats: {} },
  };
}

/** The status that a request gets. */
export function statusOf({ gets }: Send): number {
  return Number.parseInt(String(gets), 10);
}
