import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import process from "node:process";
import { text as readAll } from "node:stream/consumers";
import {
  applyUpdate,
  explain,
  type ObjectName,
  type PolicyIndex,
  parseWorkload,
  TokenCache,
  type Workload,
} from "@gatehouse/authz-server/engine";
import { type LoadedPolicy, loadDirectory, StartError } from "@gatehouse/controller";
import { pino } from "pino";
import type { QuestionDefinition } from "../command-definition.ts";
import { toHttpRequest } from "../explain/http-request.ts";
import { type Answer, renderText, type UnusedPolicies } from "../explain/render-text.ts";
import { type KeyFetchSettings, keyFetchSettings, toKeyFetchOptions } from "../key-settings.ts";
import { toMeshSettings } from "../policy-options.ts";
import { choice, onOff, requiredText, type Setting, text, texts, wholeNumber } from "../setting.ts";
import { type EvaluationSettings, evaluationSettings } from "../settings.ts";
import { UserError } from "../user-error.ts";

interface Values extends EvaluationSettings, KeyFetchSettings {
  readonly resources: string;
  readonly workload: string;
  readonly request: string;
  readonly header: readonly string[];
  readonly token: string | null;
  readonly tokenFile: string | null;
  readonly sourceIp: string;
  readonly sourcePrincipal: string | null;
  readonly port: number;
  readonly providers: "allow" | "deny";
  readonly fetchKeys: boolean;
  readonly output: "text" | "json";
}

/** `gatehouse explain`: what would become of a request, and why. */
export const explainCommand: QuestionDefinition<Values> = {
  name: "explain",
  summary: "Say what the policy of a directory answers to one request, and why. Asks no server; shows no secret.",
  settings: {
    resources: requiredText("Directory of Kubernetes YAML", "DIR"),
    workload: requiredText(
      "Whose Envoy gets the request, e.g. foo/app=httpbin or istio-system/istio=ingressgateway;gateways=foo/my-gateway",
      "NAMESPACE/LABELS",
    ),
    request: requiredText("Method and URL, e.g. 'GET http://example.com/path'; the path is taken as it is", "REQUEST"),
    header: withLetter("H", texts("Request header", "NAME: VALUE")),
    token: text(
      "JWT, sent as Authorization: Bearer; others on this machine can see it, --token-file is safer",
      "JWT",
      null,
    ),
    tokenFile: text("File with the JWT; - is standard input", "FILE", null),
    sourceIp: text("Address of the peer that connects to Envoy", "IP", "127.0.0.1"),
    sourcePrincipal: text("SPIFFE identity of the peer's certificate (default: none)", "SPIFFE-ID", null),
    port: wholeNumber("Port of Envoy's listener; 0 is that of the URL", "PORT", { min: 0, max: 65_535, default: 0 }),
    providers: choice(
      "What providers of CUSTOM policies are taken to answer; none is asked",
      ["allow", "deny"],
      "allow",
    ),
    fetchKeys: onOff(
      "Fetch the keys of jwksUri and of OpenID discovery, once; otherwise tokens that need them are refused",
    ),
    output: withLetter("o", choice("Form of the answer", ["text", "json"], "text")),
    ...keyFetchSettings,
    ...evaluationSettings,
  },
  async answer(values) {
    const workload = toWorkload(values.workload);
    if (isIP(values.sourceIp) === 0) throw new UserError([`--source-ip "${values.sourceIp}": not an IP address`], 2);
    const token = await readToken(values);
    const loaded = await load(values);
    const policy = (await toIndex(loaded)).select(workload);
    const request = toHttpRequest({
      ...values,
      headers: values.header,
      token,
      sourcePrincipal: values.sourcePrincipal ?? "",
      isGateway: policy.isGateway,
    });
    const { explanation } = await explain(policy, request, {
      cache: new TokenCache({ entries: 0, bytes: 0 }, () => undefined),
      now: Date.now,
      random: Math.random,
      record: { dryRun: () => undefined },
      askProvider: async () => (values.providers === "allow" ? PROVIDER_ALLOWS : PROVIDER_DENIES),
    });
    const answer: Answer = { version: 1, ...explanation, problems: loaded.problems };
    if (values.output === "json") return `${JSON.stringify(answer, null, 2)}\n`;
    return renderText(answer, { unused: unusedPolicies(loaded, answer), colours: hasColours() });
  },
};

const PROVIDER_ALLOWS = { kind: "allow", changes: [], responseHeaders: [], metadata: null } as const;
const PROVIDER_DENIES = { kind: "deny", status: 403, headers: [], body: "" } as const;

function withLetter<Value>(letter: string, setting: Setting<Value>): Setting<Value> {
  return { ...setting, letter };
}

/** `NAMESPACE/LABELS[;gateways=NAMESPACE/NAME,...]` */
function toWorkload(written: string): Workload {
  const [identity = "", ...options] = written.split(";");
  const slash = identity.indexOf("/");
  const gateways = options.map((option) => /^gateways=(.+)$/.exec(option)?.[1]);
  const workload =
    slash < 0 || gateways.includes(undefined)
      ? undefined
      : parseWorkload({
          namespace: identity.slice(0, slash),
          labels: identity.slice(slash + 1),
          gateways: gateways.join(","),
          serverPort: "",
        });
  if (workload !== undefined) return workload;
  const example = "foo/app=httpbin,version=v1 or istio-system/istio=ingressgateway;gateways=foo/my-gateway";
  throw new UserError([`--workload "${written}": expected for example ${example}`], 2);
}

async function readToken({ token, tokenFile }: Values): Promise<string | null> {
  if (token !== null && tokenFile !== null) throw new UserError(["give --token or --token-file, not both"], 2);
  if (tokenFile === null) return token;
  try {
    const content = tokenFile === "-" ? await readAll(process.stdin) : await readFile(tokenFile, "utf8");
    return content.trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError([`--token-file: cannot read ${tokenFile}: ${reason}`], 1, { cause: error });
  }
}

async function load(values: Values): Promise<LoadedPolicy> {
  try {
    return await loadDirectory({
      path: values.resources,
      meshConfigFile: values.meshConfig,
      settings: toMeshSettings(values),
      // Whoever asks sits at the machine that fetches, as with standalone.
      keys: values.fetchKeys ? toKeyFetchOptions(values, true) : null,
      log: pino({ level: "silent" }),
    });
  } catch (error) {
    if (error instanceof StartError) throw new UserError([error.message], 1, { cause: error });
    throw error;
  }
}

async function toIndex({ resources }: LoadedPolicy): Promise<PolicyIndex> {
  const prepared = await applyUpdate(null, { upserts: resources, removed: [] });
  if (prepared.ok) return prepared.index;
  throw new UserError(
    prepared.errors.map(({ resource, message }) => `${resource} can't be enforced: ${message}`),
    1,
  );
}

function unusedPolicies({ resources }: LoadedPolicy, { policies, token }: Answer): UnusedPolicies {
  const used = new Set([...policies.map(({ policy }) => policy), ...token.policies].map(nameOf));
  const unused = (kind: "AuthorizationPolicy" | "RequestAuthentication"): readonly string[] =>
    resources
      .flatMap((resource) => (resource.kind === kind ? [{ kind, ...resource.meta }] : []))
      .filter((object) => !used.has(nameOf(object)))
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .toSorted();
  return {
    authorizationPolicies: unused("AuthorizationPolicy"),
    requestAuthentications: unused("RequestAuthentication"),
  };
}

function nameOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`;
}

function hasColours(): boolean {
  return process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
}
