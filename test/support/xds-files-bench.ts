import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { CONTROLLER_NAME, createTestAuthority, type TestAuthority } from "./certificates.ts";
import { connectCheckClient } from "./check-client.ts";
import { type CliProcess, startCli } from "./cli-process.ts";

/** `gatehouse controller --xds-tls files` and `gatehouse authz-server --xds-tls-dir`, as somebody with a certificate manager starts them. */
export interface XdsFilesBench {
  /** Where the certificates of each side are looked for. */
  readonly folders: { readonly controller: string; readonly server: string };
  readonly old: TestAuthority;
  readonly next: TestAuthority;
  /** Starts one, with further flags. */
  startController(...flags: readonly string[]): Promise<CliProcess>;
  startServer(controller: CliProcess, ...flags: readonly string[]): Promise<CliProcess>;
  /** Replaces the policy by one that denies a path. */
  deny(path: string): Promise<void>;
  /** Serial number of what a controller shows on a new connection; null when it refuses us. @param keys what we show */
  shownTo(controller: CliProcess, keys: KeyPair): Promise<string | null>;
  stop(): Promise<void>;
}

type KeyPair = Awaited<ReturnType<TestAuthority["issue"]>>;

/** Makes two authorities and a policy that denies `/admin`. Nothing runs yet, and no certificate is in its place. */
export async function openXdsFilesBench(): Promise<XdsFilesBench> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-files-"));
  const folders = { controller: join(home, "controller"), server: join(home, "server") };
  const [old, next] = await Promise.all([createTestAuthority(), createTestAuthority()]);
  const running: CliProcess[] = [];
  const started = async (starting: Promise<CliProcess>): Promise<CliProcess> => {
    const one = await starting;
    running.push(one);
    return one;
  };
  const deny = async (path: string): Promise<void> => {
    await writeFile(join(home, "incoming"), denying(path));
    await rename(join(home, "incoming"), join(home, "policies", "policy.yaml"));
  };
  await mkdir(join(home, "policies"));
  await deny("/admin");
  return {
    ...{ folders, old, next, deny },
    startController(...more) {
      const flags = ["--source", `dir:${join(home, "policies")}`, "--xds-address", "127.0.0.1:0", "--no-key-cache"];
      const tls = ["--namespace", "gatehouse-system", "--xds-tls", "files", "--xds-tls-dir", folders.controller];
      return started(startCli("controller", ...flags, ...tls, ...more));
    },
    async startServer(controller, ...more) {
      const flags = ["--host", "127.0.0.1", "--check-port", "0", "--workers", "1", "--no-last-good"];
      const tls = ["--xds-tls-dir", folders.server, "--xds-server-name", CONTROLLER_NAME];
      const address = await xdsAddress(controller);
      return started(startCli("authz-server", "--controller", address, ...flags, ...tls, ...more));
    },
    shownTo: async (controller, keys) =>
      shownAt(await xdsAddress(controller), keys, [old.certificate, next.certificate]),
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** What a request to a server gets; null: no policy yet. */
export async function statusOf(server: CliProcess, path: string): Promise<number | null> {
  const { addresses } = await server.logged("answering checks");
  const client = connectCheckClient(String(addresses));
  try {
    return (await client.check({ path })).status;
  } catch {
    return null;
  } finally {
    client.stop();
  }
}

/** How often a server has opened and lost its policy stream. */
export function streamsOf({ log }: CliProcess): { readonly opened: number; readonly lost: number } {
  const count = (start: string) => log.filter(({ msg }) => String(msg).startsWith(start)).length;
  return { opened: count("policy stream to the controller is open"), lost: count("no policy stream") };
}

function denying(path: string): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny, namespace: foo }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }] }
`;
}

async function xdsAddress(controller: CliProcess): Promise<string> {
  return String((await controller.logged("serving policy over delta xDS"))["address"]);
}

function shownAt(address: string, keys: KeyPair, ca: readonly string[]): Promise<string | null> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connectTls({
    ...{ host: hostname, port: Number(port), servername: CONTROLLER_NAME, ALPNProtocols: ["h2"] },
    ...{ ca: [...ca], cert: keys.certificate, key: keys.privateKey },
  });
  const shown = new Promise<string | null>((resolve) => {
    socket.once("error", () => resolve(null));
    socket.once("close", () => resolve(null));
    // HTTP/2 begins once the controller has judged us.
    socket.once("data", () => resolve(socket.getPeerX509Certificate()?.serialNumber ?? null));
  });
  return shown.finally(() => socket.destroy());
}
