import type { HeaderOperations, Labels } from "@gatehouse/protos";
import type { HeaderOperations as HeaderOperationsSpec, Headers } from "../resources/gen/types.ts";
import { isHeaderName } from "./header-name.ts";
import type { Findings } from "./report.ts";

/** The operations of one `headers` field. */
export interface TranslatedHeaderOperations {
  readonly requestHeaders: HeaderOperations;
  readonly responseHeaders: HeaderOperations;
}

/** Translates `headers` of a route or a destination. Operations that can't be carried out are left out and named. */
export function translateHeaderOperations(
  spec: Headers | undefined,
  path: string,
  findings: Findings,
): TranslatedHeaderOperations {
  return {
    requestHeaders: translateOperations(spec?.request, `${path}.request`, "request", findings),
    responseHeaders: translateOperations(spec?.response, `${path}.response`, "response", findings),
  };
}

function translateOperations(
  spec: HeaderOperationsSpec | undefined,
  path: string,
  side: "request" | "response",
  findings: Findings,
): HeaderOperations {
  const isUsable = (name: string, where: string, maySetAuthority: boolean) => {
    const message = checkName(name, maySetAuthority);
    if (message !== null) findings.invalid(where, message);
    return message === null;
  };
  return {
    set: translatePairs(spec?.set, `${path}.set`, findings, (name, where) => isUsable(name, where, side === "request")),
    add: translatePairs(spec?.add, `${path}.add`, findings, (name, where) => isUsable(name, where, side === "request")),
    remove: (spec?.remove ?? [])
      .filter((name, i) => isUsable(name, `${path}.remove[${i}]`, false))
      .map((name) => name.toLowerCase()),
  };
}

function translatePairs(
  pairs: Readonly<Record<string, string>> | undefined,
  path: string,
  findings: Findings,
  isUsable: (name: string, where: string) => boolean,
): Labels {
  const labels: { readonly name: string; readonly value: string }[] = [];
  for (const [name, text] of Object.entries(pairs ?? {})) {
    const where = `${path}[${name}]`;
    if (!isUsable(name, where)) continue;
    const value = text.replaceAll("%%", "\u0000");
    if (hasControlCharacter(text)) findings.invalid(where, "header value must not hold control characters");
    else if (value.includes("%"))
      findings.unsupported(where, "Envoy's format commands (%...%) are not expanded: header not set");
    else labels.push({ name: name.toLowerCase(), value: value.replaceAll("\u0000", "%") });
  }
  return labels;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => (character < " " && character !== "\t") || character === "\u007f");
}

function checkName(name: string, maySetAuthority: boolean): string | null {
  if (name === "") return "header name cannot be empty";
  const lower = name.toLowerCase();
  const isAuthority = lower === "host" || lower === ":authority";
  if (isAuthority && maySetAuthority) return null;
  if (isAuthority || name.startsWith(":"))
    return `invalid header "${name}": header cannot have ":" prefix or be the host`;
  if (lower.startsWith("x-gatehouse-")) return `header name ${name} is reserved`;
  return isHeaderName(name) ? null : `header name ${name} is not a valid header name`;
}
