import { homedir, hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { collectDefaultMetrics, Registry } from "prom-client";
import { STARTING, startAdmin } from "../admin.ts";
import { toCheckOptions } from "../check-options.ts";
import type { CommandDefinition } from "../command-definition.ts";
import { createAuditLog } from "../log.ts";
import { Parts } from "../parts.ts";
import { onOff, text, wholeNumber } from "../setting.ts";
import {
  type AdminSettings,
  adminSettings,
  type CheckSettings,
  checkSettings,
  DEFAULT_XDS_ADDRESS,
  type LogSettings,
  logSettings,
} from "../settings.ts";
import { type AuthzServerTlsSettings, authzServerTlsSettings, toAuthzServerTls } from "../xds-tls-settings.ts";

interface Values extends LogSettings, CheckSettings, AdminSettings, AuthzServerTlsSettings {
  readonly controller: string;
  readonly dataDir: string | null;
  readonly lastGood: boolean;
  readonly workloadIdentities: boolean;
  readonly nodeId: string | null;
  readonly maxPolicyAgeSeconds: number;
}

/** `gatehouse authz-server`: answers Envoy, with policy from a controller elsewhere. */
export const authzServerCommand: CommandDefinition<Values> = {
  name: "authz-server",
  summary: "Answer Envoy's ext_authz calls, with policy from a controller.",
  settings: {
    controller: text("Where the controller serves policy: HOST:PORT or unix:PATH", "ADDRESS", DEFAULT_XDS_ADDRESS),
    dataDir: text(
      "Directory of the last accepted policy, for starts without controller (default: ~/.local/state/gatehouse/NODE-ID)",
      "DIR",
      null,
    ),
    lastGood: onOff("Keep no last accepted policy on disk", { isOnByDefault: true }),
    maxPolicyAgeSeconds: wholeNumber(
      "Seconds without word from the controller after which every check fails; 0: the last policy is enforced for good",
      "SEC",
      { min: 0, max: 365 * 24 * 3600, default: 0 },
    ),
    workloadIdentities: onOff(
      "Ask the controller which pod has which address, for Envoys that send gatehouse-workload: auto",
    ),
    nodeId: text("Name of this server towards the controller (default: HOSTNAME-PORT)", "ID", null),
    ...authzServerTlsSettings,
    ...checkSettings,
    ...adminSettings(9090),
    ...logSettings,
  },
  async start(values, log) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const nodeId = values.nodeId ?? `${hostname()}-${values.checkPort}`;
    const checkOptions = toCheckOptions(values);
    const xdsTls = toAuthzServerTls(values, values.controller);
    const dataDirectory = values.lastGood ? (values.dataDir ?? defaultDataDirectory(nodeId)) : null;

    const parts = new Parts();
    let server: RunningAuthzServer | null = null;
    const readiness = () => (server === null ? STARTING : { checks: server.readiness(), version: server.setVersion() });
    const shown = { contentType: registry.contentType, metrics: () => server?.metrics() ?? registry.metrics() };
    await parts.add(() =>
      startAdmin({ host: values.adminHost, port: values.adminPort, registry: shown, readiness, log }),
    );
    server = await parts.add(() =>
      startAuthzServer({
        controller: values.controller,
        xdsTls,
        nodeId,
        workloadIdentities: values.workloadIdentities,
        dataDirectory,
        maxPolicyAgeMs: values.maxPolicyAgeSeconds === 0 ? null : values.maxPolicyAgeSeconds * 1000,
        ...checkOptions,
        log,
        auditLog: createAuditLog(),
        registry,
      }),
    );
    return parts;
  },
};

function defaultDataDirectory(nodeId: string): string {
  const stateHome = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(stateHome, "gatehouse", nodeId.replaceAll(/[^\w.-]/g, "_"));
}
