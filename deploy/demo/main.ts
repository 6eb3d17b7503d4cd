// `make demo`: Gatehouse, Envoy and a sample service on this machine, with the policies of deploy/examples.
import { once } from "node:events";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startEchoUpstreams } from "../../test/support/echo-upstream.ts";
import { startEnvoy } from "../../test/support/envoy.ts";
import { buildEnvoyBootstrap } from "../../test/support/envoy-config.ts";
import { startGatehouseProcess } from "./gatehouse-process.ts";
import { type DemoPorts, readPorts } from "./ports.ts";
import { formatWalkthrough } from "./walkthrough.ts";

const HTTPBIN = "httpbin.foo.svc.cluster.local:8000";

process.exitCode = await runDemo();

/** Runs until Ctrl-C (SIGINT), SIGTERM, or until one of the parts ends. @returns the exit code */
async function runDemo(): Promise<number> {
  const asked = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]).then(() => "asked" as const);
  const settings = await readPorts(process.env);
  if (!settings.ok) {
    for (const error of settings.errors) print(`demo: ${error}`);
    return 1;
  }
  const { ports } = settings;
  const examples = relative(process.cwd(), fileURLToPath(new URL("../examples", import.meta.url)));
  const resources = process.env["DEMO_RESOURCES"] ?? examples;
  const running: { stop(): Promise<void> }[] = [];
  const started = async <Part extends { stop(): Promise<void> }>(starting: Promise<Part>): Promise<Part> => {
    const part = await starting;
    running.unshift(part);
    return part;
  };
  try {
    const httpbin = await started(startEchoUpstreams([HTTPBIN]));
    const gatehouse = await started(startGatehouseProcess(ports, resources, print));
    const envoy = await started(startEnvoy(envoyBootstrap(ports, httpbin.port(HTTPBIN)), { ownProcessGroup: true }));
    print("");
    print(`The demo is running. Policies: ${resources} (edit them and try again). Ctrl-C ends it.`);
    print(
      `Readiness: http://127.0.0.1:${ports.admin}/readyz   Envoy's admin page: http://127.0.0.1:${envoy.adminPort}/`,
    );
    print("");
    print(formatWalkthrough(ports));
    const ended = await Promise.race([
      asked,
      envoy.exited.then(() => `Envoy ended by itself:\n${envoy.log()}`),
      gatehouse.exited.then(() => "Gatehouse ended by itself; its last lines say why"),
    ]);
    if (ended === "asked") return 0;
    print(`demo: ${ended}`);
    return 1;
  } catch (error) {
    print(`demo: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    for (const part of running) await part.stop();
    print("demo: stopped");
  }
}

/** One Envoy in two roles: ingress gateway, and sidecar of httpbin. */
function envoyBootstrap(ports: DemoPorts, httpbinPort: number) {
  return buildEnvoyBootstrap({
    authzPort: ports.check,
    clusters: new Map([[HTTPBIN, httpbinPort]]),
    listeners: [
      {
        name: "gateway",
        profile: "istio-gateway",
        port: ports.gateway,
        identity: {
          namespace: "istio-system",
          labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
          gateways: ["foo/httpbin-gateway"],
          serverPort: 80,
        },
      },
      {
        name: "httpbin",
        profile: "istio-sidecar",
        port: ports.httpbin,
        identity: { namespace: "foo", labels: { app: "httpbin" } },
      },
    ],
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
