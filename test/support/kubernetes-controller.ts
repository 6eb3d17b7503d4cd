import { type ControllerOptions, type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import {
  type StoredObject,
  startTestApiServer,
  type TestApiServer,
} from "../../controller/src/sources/kubernetes/testdata/api-server.ts";

/** A controller that follows an API server which does as it is told. */
export interface KubernetesController {
  readonly server: TestApiServer;
  readonly controller: RunningController;
  /** Lines that it logged at `info` or above. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** An object of ours as users write it; labels and all else in `metadata` are optional. */
export type { StoredObject };

/** Starts both. @param objects that are there from the start */
export async function startKubernetesController(
  objects: readonly StoredObject[],
  options: Pick<ControllerOptions, "maxNamespaceBytes"> = {},
): Promise<KubernetesController> {
  const server = await startTestApiServer();
  for (const object of objects) server.put(object);
  const log: string[] = [];
  const controller = await startController({
    ...options,
    source: { kind: "kubernetes" },
    kubernetes: { kubeconfig: server.kubeconfig, namespace: "gatehouse-system", podName: "test" },
    xdsAddress: "127.0.0.1:0",
    log: pino({ base: null }, { write: (line: string) => void log.push(line) }),
    registry: new Registry(),
  });
  return {
    server,
    controller,
    log,
    async stop() {
      await controller.stop();
      await server.close();
    },
  };
}
