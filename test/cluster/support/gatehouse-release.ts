import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { ClusterNode } from "./node.ts";

/** The namespace that the tests install Gatehouse into. */
export const SYSTEM = "gatehouse-system";

/** `helm install --wait` of the chart with the images of the tests; `helm upgrade` when it is there. @param values further values */
export async function installGatehouse(node: ClusterNode, values: ChartValues = {}): Promise<void> {
  await node.createNamespace(SYSTEM);
  const input = stringify({ ...TEST_VALUES, ...values });
  const wait = ["--wait", "--timeout", "180s"];
  await node.helm(["upgrade", "--install", "gatehouse", CHART, "-n", SYSTEM, "-f", "-", ...wait], {
    input,
    timeoutMs: 200_000,
  });
}

/** `helm uninstall`; does nothing when it is not there. */
export async function uninstallGatehouse(node: ClusterNode): Promise<void> {
  await node.helm(["uninstall", "gatehouse", "-n", SYSTEM, "--ignore-not-found", "--wait", "--timeout", "120s"]);
}

/** Values of the chart, by name. */
export type ChartValues = Readonly<Record<string, unknown>>;

/** The chart's defaults, but for images without a registry. */
const TEST_VALUES: ChartValues = {
  image: { registry: "localhost", tag: "test", pullPolicy: "Never" },
};

const CHART = fileURLToPath(new URL("../../../deploy/helm/gatehouse", import.meta.url));
