import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { Agent, type Dispatcher, ProxyAgent } from "undici";
import { StartError } from "../start-error.ts";

/** Where the API server is, and what it wants to see of us. */
export interface ApiAccess {
  /** With the path that all requests begin with. */
  readonly server: URL;
  readonly isVerified: boolean;
  /** The connections to use now and the headers that say who asks. */
  authorize(): Promise<Authorized>;
  close(): Promise<void>;
}

export interface Authorized {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/** client-go's default. A server that is gone without a word does not keep a dead connection in use for longer. */
const KEEP_ALIVE_PROBE_MS = 30_000;
/** Requests that were given up leave a connection attempt behind, which others would wait for. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Reads a kubeconfig, or the service account of the pod.
 * @throws {StartError} saying what is missing
 */
export async function openAccess(kubeconfig: string | null): Promise<ApiAccess> {
  const config = await loadConfig(kubeconfig);
  const where = kubeconfig ?? "the pod's service account";
  const cluster = config.getCurrentCluster();
  const server = URL.parse(cluster?.server ?? "");
  if (cluster === null || server === null) throw unusable(where, "names no API server for its current context");
  const proxy = cluster.proxyUrl ?? null;
  if (proxy !== null && !/^https?:/.test(proxy))
    throw unusable(where, `has a proxy-url that is no HTTP proxy: ${proxy}`);
  const isVerified = !cluster.skipTLSVerify;
  let current = await connect(config, proxy).catch((error: unknown) => {
    throw unusable(where, messageOf(error));
  });
  return {
    server,
    isVerified,
    async authorize() {
      const options = await credentials(config);
      const key = tlsKey(options);
      if (key !== current.key) {
        const before = current.dispatcher;
        current = { key, dispatcher: createDispatcher(options, proxy) };
        // Watches on it go on until they end by themselves; nothing new goes there.
        void before.close();
      }
      return { dispatcher: current.dispatcher, headers: headersOf(options) };
    },
    close: () => current.dispatcher.destroy(),
  };
}

async function loadConfig(kubeconfig: string | null): Promise<KubeConfig> {
  // Loaded here: with all its API classes it takes as much memory as everything else, and a directory source needs none of it.
  const client = await import("@kubernetes/client-node");
  const config = new client.KubeConfig();
  if (kubeconfig === null) {
    config.loadFromCluster();
    if (config.getCurrentCluster()?.server.includes("//undefined:") !== false) {
      throw unusable("the pod's service account", "is not there; outside of a cluster give a --kubeconfig");
    }
    return config;
  }
  try {
    config.loadFromFile(kubeconfig);
  } catch (error) {
    throw unusable(kubeconfig, messageOf(error));
  }
  return config;
}

interface Connected {
  readonly key: string;
  readonly dispatcher: Dispatcher;
}

async function connect(config: KubeConfig, proxy: string | null): Promise<Connected> {
  const options = await credentials(config);
  return { key: tlsKey(options), dispatcher: createDispatcher(options, proxy) };
}

/** Files are read again each time; KubeConfig reads a token file at most once a minute. */
async function credentials(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

/** Tells apart what connections were made with; a digest, because it holds a private key. */
function tlsKey({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): string {
  const parts = [ca, cert, key, servername, rejectUnauthorized].map((part) => String(part ?? ""));
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function createDispatcher({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions, proxy: string | null) {
  const tls = {
    minVersion: "TLSv1.2" as const,
    rejectUnauthorized: rejectUnauthorized !== false,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
  // No limits of time here: each request has its own.
  const common = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  if (proxy !== null) return new ProxyAgent({ ...common, uri: proxy, requestTls: tls });
  return new Agent({
    ...common,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS },
  });
}

function headersOf({ headers = {}, auth }: RequestOptions): Readonly<Record<string, string>> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  const named = Array.isArray(headers) ? [] : Object.entries(headers);
  return { ...basic, ...Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), String(value).trim()])) };
}

function unusable(where: string, why: string): StartError {
  return new StartError("NO_API_ACCESS", `Kubernetes: ${where} ${why}`);
}

function messageOf(error: unknown): string {
  return `can't be used: ${error instanceof Error ? error.message : String(error)}`;
}
