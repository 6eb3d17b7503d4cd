import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Document, parseDocument, stringify } from "yaml";
import { profileFile } from "../../support/envoy-config.ts";
import { publicJwks } from "../../support/jwt.ts";
import { waitFor } from "../../support/wait-for.ts";
import { ask } from "./ask.ts";
import { SYSTEM } from "./gatehouse-release.ts";
import type { ClusterNode } from "./node.ts";

/** What Istio's documents speak of, as pods: httpbin and sleep with sidecars in namespace foo, and the ingress gateway. */
export interface SampleMesh {
  /** Addresses of Services, all on port 80. */
  readonly httpbin: string;
  readonly sleep: string;
  readonly ingress: string;
}

/** The namespaces that `startSampleMesh` creates. */
export const SAMPLE_NAMESPACES: readonly string[] = ["foo", "istio-system"];

/** Where the pods get the test issuer's keys: a service without sidecar. */
export const JWKS_URI = "http://issuer.foo.svc.cluster.local:8000/jwks.json";

/** Creates the namespaces, where Pod Security enforces `restricted`, and the pods; resolves when they are ready. */
export async function startSampleMesh(node: ClusterNode): Promise<SampleMesh> {
  for (const namespace of SAMPLE_NAMESPACES) await node.createNamespace(namespace);
  const manifests = [
    ...withSidecar("httpbin"),
    ...withSidecar("sleep"),
    ...gateway(),
    ...pod("foo", "issuer", [sampleService("issuer", { JWKS: publicJwks() }, 8000)], { 8000: 8000 }),
    configMap("foo", "sample-service", { "sample-service.ts": readFileSync(SAMPLE_SERVICE, "utf8") }),
  ];
  await node.apply(manifests.map((object) => stringify(object)).join("---\n"));
  for (const name of ["httpbin", "sleep", "issuer"]) await node.rolledOut("foo", name);
  await node.rolledOut("istio-system", INGRESS);
  const addressOf = async (namespace: string, name: string): Promise<string> => {
    const address = await node.serviceAddress(namespace, name);
    await waitFor(`${name} answers`, () => ask({ address }).catch(() => false), 60_000);
    return address;
  };
  return {
    httpbin: await addressOf("foo", "httpbin"),
    sleep: await addressOf("foo", "sleep"),
    ingress: await addressOf("istio-system", INGRESS),
  };
}

const INGRESS = "istio-ingressgateway";
const SAMPLE_SERVICE = new URL("../images/sample-service.ts", import.meta.url);

type Manifest = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const CONNECTION_MANAGER: Path = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"];
const CHECK: Path = [...CONNECTION_MANAGER, "http_filters", 0, "typed_config", "grpc_service"];
const ADDRESS: Path = ["load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint", "address", "socket_address"];

/** An application that only its own pod reaches, and an Envoy before it. Port 8000 is as in Istio's documents. */
function withSidecar(name: string): readonly Manifest[] {
  const config = shippedConfig("istio-sidecar");
  replace(
    config,
    [...CHECK, "initial_metadata"],
    [
      { key: "gatehouse-namespace", value: "foo" },
      { key: "gatehouse-labels", value: `app=${name}` },
    ],
  );
  return [
    configMap("foo", `${name}-envoy`, { "envoy.yaml": config.toString() }),
    ...pod("foo", name, [sampleService(name, { HOST: "127.0.0.1" }), envoy(`${name}-envoy`, config)], {
      80: 8080,
      8000: 8080,
    }),
  ];
}

function gateway(): readonly Manifest[] {
  const config = shippedConfig("istio-gateway");
  replace(config, ["static_resources", "clusters", 1, ...ADDRESS, "address"], "httpbin.foo.svc.cluster.local");
  return [
    configMap("istio-system", `${INGRESS}-envoy`, { "envoy.yaml": config.toString() }),
    ...pod("istio-system", INGRESS, [envoy(`${INGRESS}-envoy`, config)], { 80: 8080 }),
  ];
}

/** A file of deploy/envoy with the authz-servers of the cluster, as the notes of the chart say, and an admin port for the probe. */
function shippedConfig(profile: "istio-gateway" | "istio-sidecar"): Document {
  const config = parseDocument(readFileSync(profileFile(profile), "utf8"));
  const servers = `gatehouse-authz-server-headless.${SYSTEM}.svc.cluster.local`;
  replace(config, ["static_resources", "clusters", 0, ...ADDRESS, "address"], servers);
  // A test machine that starts several pods at once can be slower than the half second that is shipped.
  replace(config, [...CHECK, "timeout"], "5s");
  replace(config, [...CHECK, "retry_policy", "retry_back_off", "max_interval"], "5s");
  replace(config, ["admin", "address", "socket_address", "address"], "0.0.0.0");
  return config;
}

/** Sets a value where the shipped file has one. */
function replace(document: Document, path: Path, value: unknown): void {
  if (!document.hasIn(path)) throw new Error(`the shipped Envoy configuration has no ${path.join(".")}`);
  document.setIn(path, document.createNode(value));
}

function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data };
}

interface Container {
  readonly container: Manifest;
  readonly volume: Manifest;
}

function sampleService(name: string, env: Readonly<Record<string, string>>, probedPort?: number): Container {
  const variables = Object.entries({ NAME: name, ...env }).map(([variable, value]) => ({ name: variable, value }));
  const readinessProbe = { httpGet: { path: "/", port: probedPort }, periodSeconds: 1 };
  return {
    container: {
      name: "app",
      image: "localhost/gatehouse/controller:test",
      command: ["/usr/local/bin/node", "/sample/sample-service.ts"],
      env: variables,
      volumeMounts: [{ name: "sample-service", mountPath: "/sample" }],
      ...(probedPort === undefined ? {} : { readinessProbe }),
    },
    volume: { name: "sample-service", configMap: { name: "sample-service" } },
  };
}

function envoy(configMap: string, config: Document): Container {
  return {
    container: {
      name: "envoy",
      image: "localhost/envoy:test",
      args: ["-c", "/etc/envoy/envoy.yaml", "--concurrency", "1", "--log-level", "warn"],
      // Without policy an Envoy is ready and answers 503.
      readinessProbe: { httpGet: { path: "/ready", port: 9901 }, periodSeconds: 1 },
      volumeMounts: [{ name: configMap, mountPath: "/etc/envoy" }],
      // A changed configuration starts a new pod.
      env: [{ name: "CONFIG", value: hash("sha1", config.toString()) }],
    },
    volume: { name: configMap, configMap: { name: configMap } },
  };
}

/** A Deployment of one pod, and a Service. @param ports of the Service, to ports of the pod */
function pod(
  namespace: string,
  app: string,
  containers: readonly Container[],
  ports: Readonly<Record<number, number>>,
): readonly Manifest[] {
  const labels = { app };
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    containers: containers.map(({ container }) => ({
      imagePullPolicy: "Never",
      // Without a share of its own a container gets nothing while others start.
      resources: { requests: { cpu: "50m" } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      ...container,
    })),
    volumes: containers.map(({ volume }) => volume),
  };
  const template = { metadata: { labels }, spec };
  const servicePorts = Object.entries(ports).map(([port, targetPort]) => ({
    name: `http-${port}`,
    port: Number(port),
    targetPort,
  }));
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name: app, labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name: app },
      spec: { selector: labels, ports: servicePorts },
    },
  ];
}
