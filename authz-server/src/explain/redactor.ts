import type { WorkloadPolicy } from "../policy/workload-policy.ts";

/** What stands for a secret. */
export const REDACTED = "[redacted]";

/** Makes texts of a request fit to be shown. */
export interface Redactor {
  header(name: string, value: string): string;
  param(name: string, value: string): string;
  /** Any other text: tokens in it are taken out, and it is cut to a readable length. */
  text(value: string): string;
}

const SECRET_HEADERS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/** Two segments that begin as JSON objects do in base64url, the way each JWT does. */
const TOKEN = /eyJ[\w-]*(?:\.[\w-]*)*/g;

const MAX_SHOWN = 120;

/** Knows, besides what is secret everywhere, where the policy looks for tokens and which headers get whole payloads. */
export function redactorFor({ jwtRules }: WorkloadPolicy): Redactor {
  const locations = jwtRules.flatMap((rule) => rule.locations);
  const named = (kind: "header" | "param"): readonly string[] =>
    locations.filter((location) => location.kind === kind).map(({ name }) => name);
  const headers = new Set([
    ...SECRET_HEADERS,
    ...named("header"),
    ...jwtRules.map(({ outputPayloadToHeader }) => outputPayloadToHeader),
  ]);
  const params = new Set(["access_token", ...named("param")]);
  return {
    header: (name, value) => (headers.has(name) ? REDACTED : shown(value)),
    param: (name, value) => (params.has(name) ? REDACTED : shown(value)),
    text: shown,
  };
}

function shown(value: string): string {
  const text = value.replaceAll(TOKEN, REDACTED);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
