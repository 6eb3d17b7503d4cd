import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../support/wait-for.ts";
import { type KubernetesClient, openKubernetesClient } from "./kubernetes-client.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

/** A real etcd and kube-apiserver of their own, without a node: objects are stored, validated and watched, and nothing runs. */
export interface ApiServer {
  /** Where its files and logs are. */
  readonly directory: string;
  /** Of a user who may do everything. */
  readonly kubeconfig: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** The same user, over HTTPS. */
  readonly client: KubernetesClient;
  /** In PEM: signs the certificate of `kubernetes`. */
  readonly authority: string;
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>;
  helm(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** `kubectl apply` of YAML text. */
  apply(yaml: string): Promise<void>;
  /** Ends a process: `stop` as an operator would, `kill` by SIGKILL. What is stored stays. Resolves when it is gone. */
  end(component: Component, how: "stop" | "kill"): Promise<void>;
  /** Starts it again as it was; resolves when it is ready. */
  start(component: Component): Promise<void>;
  /** Makes etcd forget all revisions but the newest, so that a watch from an older one gets 410. */
  compact(): Promise<void>;
  /** Writes a kubeconfig for another identity, or through a proxy, and returns its path. */
  writeKubeconfig(access: KubernetesAccess): Promise<string>;
  /** A token of a service account, which is created if need be. */
  serviceAccountToken(namespace: string, name: string): Promise<string>;
  /** Ends the processes; of an API server of its own also removes its files. */
  stop(): Promise<void>;
}

/** The processes of a cluster that tests take away. The last three only exist on a node. */
export type Component =
  | ("etcd" | "kube-apiserver")
  | ("kube-controller-manager" | "kube-scheduler" | "kubelet" | "kube-proxy" | "coredns");

/** How a kubeconfig of `writeKubeconfig` gets in. */
export interface KubernetesAccess {
  /** Default: that of the user who may do everything. */
  readonly token?: string;
  /** Port on 127.0.0.1, for example of a `TcpProxy`; default: the API server's own. */
  readonly port?: number;
  /** In PEM: whom to trust, for example for a `TlsProxy`; default: the API server's own. */
  readonly authority?: string;
}

/** Starts one on free ports and applies the CRDs of this repository. Takes about 4 s. */
export async function startApiServer(options: { readonly crds?: boolean } = {}): Promise<ApiServer> {
  await removeLeftovers();
  const directory = await mkdtemp(join(tmpdir(), PREFIX));
  writeFileSync(join(directory, OWNER), String(process.pid));
  const env = { API_PORT: String(await freePort()), ETCD_PORT: String(await freePort()) };
  const stop = async (): Promise<void> => {
    await runScript("down.sh", [directory]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await runScript("up.sh", [directory, "api"], { env });
    const server = await joinApiServer(directory, stop);
    if (options.crds !== false) await applyCrds(server);
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The API server of a cluster that runs already. @param stop what its `stop` does besides closing the client */
export async function joinApiServer(directory: string, stop: () => Promise<void>): Promise<ApiServer> {
  const kubeconfig = join(directory, "admin.kubeconfig");
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(await readFile(kubeconfig, "utf8"))?.[1]);
  const token = (await readFile(join(directory, "tokens.csv"), "utf8")).split(",")[0] ?? "";
  const authority = await readFile(join(directory, "certs/apiserver.crt"), "utf8");
  const client = openKubernetesClient(port, token, authority);
  const env = { KUBECONFIG: kubeconfig };
  const run =
    (tool: string) =>
    (args: readonly string[], options: CommandOptions = {}) =>
      runCommand(join(TOOLS, tool), args, { ...options, env: { ...env, ...options.env } });
  const kubectl = run("kubectl");
  return {
    ...{ directory, kubeconfig, port, client, authority, kubectl },
    helm: run("helm"),
    apply: async (yaml) => void (await kubectl(["apply", "-f", "-"], { input: yaml })),
    end: async (component, how) => void (await runScript("component.sh", [directory, how, component])),
    start: async (component) => {
      await runScript("component.sh", [directory, "start", component]);
      await waitFor("the API server is ready", () => client.text("/readyz").catch(() => false), 60_000);
    },
    compact: () => compact(directory),
    writeKubeconfig: (access) => writeKubeconfig(directory, { port, token, authority, ...access }),
    serviceAccountToken: (namespace, name) => serviceAccountToken(client, namespace, name),
    stop: async () => {
      client.close();
      await stop();
    },
  };
}

/** Runs a script of test/cluster/node. */
export function runScript(name: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  return runCommand(fileURLToPath(new URL(`../node/${name}`, import.meta.url)), args, options);
}

/** Where the binaries are that `test/cluster/node/build.sh` builds. */
export const TOOLS: string = process.env["GATEHOUSE_TOOLS"] ?? join(homedir(), ".cache/gatehouse-tools");
const CRDS = fileURLToPath(new URL("../../../crds", import.meta.url));
const PREFIX = "gatehouse-api-server-";
const OWNER = "owner";

/** CRDs of this repository; resolves when their objects can be created. */
export async function applyCrds(server: ApiServer): Promise<void> {
  await server.kubectl(["apply", "--server-side", "-f", CRDS]);
  await server.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
}

/** What a run left behind that was ended by force. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const directory = join(tmpdir(), name);
    const owner = existsSync(join(directory, OWNER)) ? readFileSync(join(directory, OWNER), "utf8") : "";
    if (owner === "" || existsSync(`/proc/${owner}`)) continue;
    await runScript("down.sh", [directory]);
    await rm(directory, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

async function compact(directory: string): Promise<void> {
  const [address] =
    /http:\/\/127\.0\.0\.1:\d+/.exec(await readFile(join(directory, "kube-apiserver.run"), "utf8")) ?? [];
  const ask = async (path: string, body: unknown): Promise<string> => {
    const answer = await fetch(`${address}${path}`, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${text}`);
    return text;
  };
  const range: { readonly header: { readonly revision: string } } = JSON.parse(
    await ask("/v3/kv/range", { key: "Lw==", limit: 1 }),
  );
  await ask("/v3/kv/compaction", { revision: range.header.revision, physical: true });
}

async function writeKubeconfig(directory: string, access: Required<KubernetesAccess>): Promise<string> {
  const cluster = {
    server: `https://127.0.0.1:${access.port}`,
    "certificate-authority-data": Buffer.from(access.authority).toString("base64"),
    "tls-server-name": "kubernetes",
  };
  const path = join(await mkdtemp(join(directory, "kubeconfig-")), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "test", user: { token: access.token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function serviceAccountToken(client: KubernetesClient, namespace: string, name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await client.get(`${accounts}/${name}`).catch(() => client.create(accounts, { metadata: { name } }));
  const review = await client.create(`${accounts}/${name}/token`, { spec: { expirationSeconds: 7200 } });
  return review.status?.token ?? "";
}
