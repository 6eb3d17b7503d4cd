import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiServer, joinApiServer, runScript, TOOLS } from "./api-server.ts";
import type { KubernetesObject } from "./kubernetes-client.ts";
import { runCommand } from "./run-command.ts";

/** A whole Kubernetes node: pods are real, and this process reaches their addresses and those of Services. */
export interface ClusterNode extends ApiServer {
  /** The pods of a namespace that run and are not about to end, in order of name. @param selector such as `app=httpbin` */
  pods(namespace: string, selector?: string): Promise<readonly RunningPod[]>;
  /** Ends the first container of a pod by SIGKILL, as the kernel does when memory is short. The kubelet starts it again. */
  killContainer(pod: RunningPod): Promise<void>;
  /** Changes the number of pods and waits until they are there, ready, or gone. */
  scale(namespace: string, deployment: string, replicas: number): Promise<void>;
  /** Waits until all pods of a Deployment are those of its newest template, and ready. */
  rolledOut(namespace: string, deployment: string): Promise<void>;
  /** Address of a Service, or of a pod's port on the pod's own address. */
  serviceAddress(namespace: string, name: string): Promise<string>;
  /** Creates a namespace where Pod Security enforces `restricted`, unless it is there. */
  createNamespace(name: string): Promise<void>;
}

/** A pod, as far as tests look at pods. */
export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly isReady: boolean;
  readonly restarts: number;
  /** Of its first container. */
  readonly containerId: string;
}

/**
 * Joins the node of this machine, and starts it with its images if there is none (needs root). It is left running, because the
 * suites share it; `test/cluster/node/down.sh` ends it, as `make test-cluster` does.
 */
export async function startNode(): Promise<ClusterNode> {
  await runScript("up.sh", [NODE]);
  const server = await joinApiServer(NODE, async () => undefined);
  const { client, kubectl } = server;
  const ctr = (...args: readonly string[]) =>
    runCommand(join(TOOLS, "ctr"), ["-a", join(NODE, "containerd.sock"), "-n", "k8s.io", ...args]);
  if (!(await ctr("images", "ls", "-q")).includes("localhost/envoy:test")) {
    await runCommand(BUILD_IMAGES, [NODE], { timeoutMs: 600_000 });
  }
  const rolledOut = async (namespace: string, deployment: string): Promise<void> => {
    await kubectl(["-n", namespace, "rollout", "status", `deployment/${deployment}`, "--timeout=120s"]);
  };
  return {
    ...server,
    pods: async (namespace, selector = "") => {
      const query = `labelSelector=${encodeURIComponent(selector)}&fieldSelector=status.phase%3DRunning`;
      const { items = [] } = await client.get(`/api/v1/namespaces/${namespace}/pods?${query}`);
      return items.filter((pod) => pod.metadata.deletionTimestamp === undefined).map(toPod);
    },
    killContainer: async (pod) => void (await ctr("tasks", "kill", "--signal", "SIGKILL", pod.containerId)),
    scale: async (namespace, deployment, replicas) => {
      await kubectl(["-n", namespace, "scale", `deployment/${deployment}`, `--replicas=${replicas}`]);
      const selector = `app.kubernetes.io/component=${deployment.replace("gatehouse-", "")}`;
      if (replicas > 0) await rolledOut(namespace, deployment);
      else await kubectl(["-n", namespace, "wait", "--for=delete", "pod", "-l", selector, "--timeout=120s"]);
    },
    rolledOut,
    serviceAddress: async (namespace, name) => {
      const { spec } = await client.get(`/api/v1/namespaces/${namespace}/services/${name}`);
      return String(spec?.["clusterIP"]);
    },
    createNamespace: (name) => server.apply(restrictedNamespace(name)),
  };
}

const NODE = process.env["GATEHOUSE_NODE"] ?? join(tmpdir(), "gatehouse-node");
const BUILD_IMAGES = fileURLToPath(new URL("../images/build.sh", import.meta.url));

function restrictedNamespace(name: string): string {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  return JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

function toPod({ metadata, status = {} }: KubernetesObject): RunningPod {
  const [container] = status.containerStatuses ?? [];
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    address: status.podIP ?? "",
    isReady: status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    restarts: container?.restartCount ?? 0,
    containerId: container?.containerID?.replace("containerd://", "") ?? "",
  };
}
