import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import { collectDefaultMetrics, Registry } from "prom-client";
import { type Readiness, STARTING, startAdmin } from "../admin.ts";
import { toCheckOptions } from "../check-options.ts";
import type { CommandDefinition } from "../command-definition.ts";
import { type KeySettings, keySettings, toKeyOptions } from "../key-settings.ts";
import { createAuditLog } from "../log.ts";
import { Parts } from "../parts.ts";
import { toPolicyOptions } from "../policy-options.ts";
import { requiredText } from "../setting.ts";
import {
  type AdminSettings,
  adminSettings,
  type CheckSettings,
  checkSettings,
  type LogSettings,
  logSettings,
  type PolicySettings,
  policySettings,
} from "../settings.ts";

interface Values extends LogSettings, PolicySettings, KeySettings, CheckSettings, AdminSettings {
  readonly resources: string;
}

/** `gatehouse standalone`: controller and authz-server in one process, joined by a real policy stream. */
export const standaloneCommand: CommandDefinition<Values> = {
  name: "standalone",
  summary: "Answer Envoy's ext_authz calls with the policy of a directory. Needs nothing else.",
  settings: {
    resources: requiredText("Directory of Kubernetes YAML; changes are enforced within 1 s", "DIR"),
    ...policySettings,
    ...keySettings,
    ...checkSettings,
    ...adminSettings(9090),
    ...logSettings,
  },
  async start(values, log) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const checkOptions = toCheckOptions(values);

    // The last part to start is the first to stop: checks are drained while policy still flows, /readyz says so to the end.
    const parts = new Parts();
    let started: Started | null = null;
    const readiness = () => (started === null ? STARTING : readinessOf(started));
    const shown = {
      contentType: registry.contentType,
      metrics: () => started?.server.metrics() ?? registry.metrics(),
    };
    await parts.add(() =>
      startAdmin({ host: values.adminHost, port: values.adminPort, registry: shown, readiness, log }),
    );
    const { address } = await parts.add(startPrivateSocket);
    const controller = await parts.add(() =>
      startController({
        ...toPolicyOptions(values.resources, values),
        ...toKeyOptions("standalone", values),
        xdsAddress: address,
        log: log.child({ part: "controller" }),
        registry,
      }),
    );
    const server = await parts.add(() =>
      startAuthzServer({
        controller: address,
        nodeId: "standalone",
        ...checkOptions,
        log: log.child({ part: "authz-server" }),
        auditLog: createAuditLog(),
        registry,
      }),
    );
    started = { controller, server };
    return parts;
  },
};

interface Started {
  readonly controller: RunningController;
  readonly server: RunningAuthzServer;
}

/** Ready means that what stands in the directory is enforced, not only that something is. */
function readinessOf({ controller, server }: Started): Readiness {
  const wanted = controller.setVersion();
  const enforced = server.setVersion();
  const isCurrent = wanted !== null && wanted === enforced;
  const current = {
    name: "current",
    ok: isCurrent,
    message: isCurrent
      ? "the policy of the directory is enforced"
      : `the directory is at version ${wanted ?? "none"}, enforced is ${enforced ?? "none"}`,
  };
  return { checks: [...controller.readiness(), ...server.readiness(), current], version: enforced };
}

/** A place for the socket that nobody else on the machine can reach: key sets pass through it. */
async function startPrivateSocket(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-"));
  return {
    address: `unix:${join(directory, "xds.sock")}`,
    stop: () => rm(directory, { recursive: true, force: true }),
  };
}
