import type { ExtensionProvider } from "@gatehouse/protos";
import type { ConfigReader } from "./config-reader.ts";
import { parseDurationMs } from "./translate/duration.ts";
import { isHeaderName } from "./translate/header-name.ts";

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * Reads one entry of MeshConfig's `extensionProviders`. Of Istio's kinds only the two external authorizers are known.
 * @returns null for another kind of provider, or when the entry is not valid: a policy that names it then denies
 */
export function readExtensionProvider(entry: ConfigReader): ExtensionProvider | null {
  const name = entry.text("name", "");
  const grpc = entry.has("envoyExtAuthzGrpc");
  if (!grpc && !entry.has("envoyExtAuthzHttp")) return null;
  if (name === "") entry.fail("name", "must not be empty");
  const settings = entry.object(grpc ? "envoyExtAuthzGrpc" : "envoyExtAuthzHttp");
  const body = settings.object("includeRequestBodyInCheck");
  const provider: ExtensionProvider = {
    kind: "ExtensionProvider",
    name,
    minReaderVersion: 1,
    protocol: grpc ? "grpc" : "http",
    service: readService(settings),
    port: settings.integer("port", 0, 1, 65_535),
    timeoutMs: readTimeout(settings),
    failOpen: settings.boolean("failOpen", false),
    statusOnError: readStatus(settings),
    maxRequestBytes: body.integer("maxRequestBytes", 0, 0, 2 ** 32 - 1),
    allowPartialMessage: body.boolean("allowPartialMessage", false),
    ...(grpc ? NO_HTTP_SETTINGS : readHttpSettings(settings)),
  };
  return entry.isValid() ? provider : null;
}

const NO_HTTP_SETTINGS = {
  pathPrefix: "",
  includeRequestHeadersInCheck: [],
  includeAdditionalHeadersInCheck: [],
  headersToUpstreamOnAllow: [],
  headersToDownstreamOnDeny: [],
  headersToDownstreamOnAllow: [],
} satisfies Partial<ExtensionProvider>;

function readHttpSettings(settings: ConfigReader): {
  readonly [Name in keyof typeof NO_HTTP_SETTINGS]: ExtensionProvider[Name];
} {
  const pathPrefix = settings.text("pathPrefix", "");
  if (pathPrefix !== "" && !pathPrefix.startsWith("/")) settings.fail("pathPrefix", "must start with /");
  const included = settings.texts("includeRequestHeadersInCheck");
  const oldIncluded = settings.texts("includeHeadersInCheck"); // its name before Istio 1.12
  return {
    pathPrefix,
    includeRequestHeadersInCheck: lowerCase(included.length > 0 ? included : oldIncluded),
    includeAdditionalHeadersInCheck: settings.textMap("includeAdditionalHeadersInCheck").filter(({ name }) => {
      if (!isHeaderName(name)) settings.fail(`includeAdditionalHeadersInCheck.${name}`, "is not a valid header name");
      return isHeaderName(name);
    }),
    headersToUpstreamOnAllow: lowerCase(settings.texts("headersToUpstreamOnAllow")),
    headersToDownstreamOnDeny: lowerCase(settings.texts("headersToDownstreamOnDeny")),
    headersToDownstreamOnAllow: lowerCase(settings.texts("headersToDownstreamOnAllow")),
  };
}

function lowerCase(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
}

/** `namespace/host` or `host`. */
function readService(settings: ConfigReader): string {
  const service = settings.text("service", "");
  const host = service.slice(service.indexOf("/") + 1);
  if (host === "") settings.fail("service", "must be a host name, or namespace/host");
  return host;
}

function readTimeout(settings: ConfigReader): number {
  const text = settings.text("timeout", "");
  if (text === "") return DEFAULT_TIMEOUT_MS;
  const timeoutMs = parseDurationMs(text);
  if (timeoutMs === null || timeoutMs < 1) settings.fail("timeout", "must be a duration of at least 1ms, such as 5s");
  return Math.round(timeoutMs ?? DEFAULT_TIMEOUT_MS);
}

function readStatus(settings: ConfigReader): number {
  const text = settings.text("statusOnError", "403");
  const status = /^[0-9]{3}$/.test(text) ? Number(text) : 0;
  if (status < 200 || status > 599) settings.fail("statusOnError", "must be an HTTP status of 200-599, in quotes");
  return status;
}
