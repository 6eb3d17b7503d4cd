import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import type { CaseObject, CaseRequest, CaseService, CaseWorkload, ConformanceCase, ExpectedHeaders } from "./case.ts";
import { type Override, overrideCaseFile } from "./overrides.ts";

/** A case file as written; `cases/case.schema.json` checks it. */
export interface CaseFile {
  readonly description: string;
  readonly notes?: readonly string[];
  readonly envoyRejects?: string;
  readonly workload: Omit<CaseWorkload, "gateways"> & { readonly gateways?: readonly string[] };
  readonly meshConfig?: Readonly<Record<string, unknown>>;
  readonly services?: readonly (Omit<CaseService, "subsets"> & { readonly subsets?: readonly string[] })[];
  readonly resources: readonly CaseObject[];
  readonly authority?: string;
  readonly requests: readonly RequestFile[];
}

/** A request of a case file as written. */
export interface RequestFile {
  readonly name: string;
  readonly method?: string;
  readonly authority?: string;
  readonly path: string;
  readonly headers?: readonly string[];
  readonly port?: number;
  readonly sourceIp?: string;
  readonly expect: ExpectFile;
}

/** `expect` of a request as written. */
export interface ExpectFile {
  readonly status: number;
  readonly body?: string;
  readonly responseHeaders?: ExpectedHeaders;
  readonly upstream?: {
    readonly destination: string;
    readonly port: number;
    readonly path: string;
    readonly method?: string;
    readonly authority?: string;
    readonly headers?: ExpectedHeaders;
    readonly absentHeaders?: readonly string[];
  };
  readonly rbacStats?: Readonly<Record<string, number>>;
}

/** The directory of the case files. */
export const CASES: URL = new URL("../cases/", import.meta.url);

/** All scenarios by group and name, overrides applied. Throws for a file that its schema refuses. */
export function loadCases(): readonly ConformanceCase[] {
  const overrides = readOverrides();
  return caseIds().map((id) => toCase(id, readCaseFile(id, overrides)));
}

/** `group/scenario` of every case file, sorted. */
export function caseIds(): readonly string[] {
  const groups = readdirSync(CASES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return groups
    .flatMap((group) =>
      readdirSync(new URL(`${group.name}/`, CASES))
        .filter((file) => file.endsWith(".yaml"))
        .map((file) => `${group.name}/${file.slice(0, -".yaml".length)}`),
    )
    .sort();
}

/**
 * One case file, placeholders filled in. Throws with all the schema's complaints.
 * @param overrides none: as it was recorded
 */
export function readCaseFile(id: string, overrides: readonly Override[] = []): CaseFile {
  const recorded = fillIn(parse(readFileSync(new URL(`${id}.yaml`, CASES), "utf8")), readTexts());
  const value = overrideCaseFile(
    recorded,
    overrides.filter((override) => override.case === id),
  );
  return checked(caseFileValidator(), value, `test/cases/${id}.yaml`);
}

/** The overrides as written. */
export function readOverrides(): readonly Override[] {
  const value: unknown = parse(readFileSync(new URL("overrides.yaml", CASES), "utf8")) ?? [];
  return checked(overridesValidator(), fillIn(value, readTexts()), "test/cases/overrides.yaml");
}

function checked<T>(validate: ValidateFunction<T>, value: unknown, file: string): T {
  if (validate(value)) return value;
  const complaints = (validate.errors ?? []).map((error) => `  ${error.instancePath || "/"} ${error.message ?? ""}`);
  throw new Error(`${file} does not fit its schema:\n${complaints.join("\n")}`);
}

let caseFileValidatorCache: ValidateFunction<CaseFile> | undefined;
function caseFileValidator(): ValidateFunction<CaseFile> {
  caseFileValidatorCache ??= new Ajv({ allErrors: true }).compile<CaseFile>(readJson("case.schema.json"));
  return caseFileValidatorCache;
}

function overridesValidator(): ValidateFunction<readonly Override[]> {
  return new Ajv({ allErrors: true }).compile<readonly Override[]>(readJson("overrides.schema.json"));
}

let texts: ReadonlyMap<string, string> | undefined;
function readTexts(): ReadonlyMap<string, string> {
  texts ??= placeholderTexts();
  return texts;
}

/** `${token:NAME}`, `${payload:NAME}` (its second segment) and `${jwks:NAME}`. */
function placeholderTexts(): ReadonlyMap<string, string> {
  const filled = new Map<string, string>();
  const tokens: Readonly<Record<string, string>> = readJson("tokens.json");
  for (const [name, token] of Object.entries(tokens)) {
    filled.set(`token:${name}`, token);
    filled.set(`payload:${name}`, token.split(".")[1] ?? "");
  }
  for (const file of readdirSync(new URL("keys/", CASES))) {
    const name = /^(.+)\.jwks\.json$/.exec(file)?.[1];
    if (name?.endsWith(".private") === false) filled.set(`jwks:${name}`, JSON.stringify(readJson(`keys/${file}`)));
  }
  return filled;
}

function fillIn(value: unknown, filled: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\{((?:token|payload|jwks):[^}]+)\}/g, (_, name: string) => {
      const text = filled.get(name);
      if (text === undefined) throw new Error(`test/cases names an unknown \${${name}}`);
      return text;
    });
  }
  if (Array.isArray(value)) return value.map((item) => fillIn(item, filled));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item, filled)]));
}

function toCase(id: string, file: CaseFile): ConformanceCase {
  return {
    id,
    group: id.slice(0, id.indexOf("/")),
    description: file.description,
    envoyRejects: file.envoyRejects ?? "",
    workload: { gateways: [], ...file.workload },
    meshConfig: file.meshConfig ?? {},
    services: (file.services ?? []).map((service) => ({ subsets: [], ...service })),
    resources: file.resources.map(withAge),
    requests: file.requests.map((request) => toRequest(file, request)),
  };
}

// Object n is n seconds younger than the first: Istio prefers older objects in several places.
function withAge(object: CaseObject, index: number): CaseObject {
  const createdAtMs = Date.UTC(2026, 0, 1) + index * 1000;
  const creationTimestamp = new Date(createdAtMs).toISOString().replace(".000Z", "Z");
  return { ...object, metadata: { creationTimestamp, ...object.metadata } };
}

function toRequest(file: CaseFile, request: RequestFile): CaseRequest {
  const expect = request.expect;
  const method = request.method ?? "GET";
  const authority = request.authority ?? file.authority ?? "";
  return {
    name: request.name,
    method,
    authority,
    path: request.path,
    headers: (request.headers ?? []).map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
    port: request.port ?? file.workload.ports[0] ?? 0,
    sourceIp: request.sourceIp ?? "127.0.0.1",
    expect: {
      status: expect.status,
      body: expect.body,
      responseHeaders: {
        ...(expect.body === undefined || expect.body === "" ? {} : { "content-type": "text/plain" }),
        ...expect.responseHeaders,
      },
      upstream: expect.upstream && { method, authority, headers: {}, absentHeaders: [], ...expect.upstream },
      rbacStats: expect.rbacStats ?? {},
    },
  };
}

function readJson<T>(path: string): T {
  const file = new URL(path, CASES);
  if (!existsSync(file)) throw new Error(`test/cases/${path} is missing`);
  return JSON.parse(readFileSync(file, "utf8"));
}
