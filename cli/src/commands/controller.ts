import { type ControllerOptions, type RunningController, startController } from "@gatehouse/controller";
import { collectDefaultMetrics, Registry } from "prom-client";
import { STARTING, startAdmin } from "../admin.ts";
import type { CommandDefinition } from "../command-definition.ts";
import { type KeySettings, keySettings, toKeyOptions } from "../key-settings.ts";
import { type KubernetesSettings, kubernetesSettings, toKubernetesOptions } from "../kubernetes-settings.ts";
import { Parts } from "../parts.ts";
import { toMeshSettings, toTenancyOptions } from "../policy-options.ts";
import { requiredText, text } from "../setting.ts";
import {
  type AdminSettings,
  adminSettings,
  DEFAULT_XDS_ADDRESS,
  type LogSettings,
  logSettings,
  type PolicySettings,
  policySettings,
} from "../settings.ts";
import { UserError } from "../user-error.ts";
import { type ControllerTlsSettings, controllerTlsSettings, toControllerTls } from "../xds-tls-settings.ts";

interface Values
  extends LogSettings,
    PolicySettings,
    KeySettings,
    KubernetesSettings,
    AdminSettings,
    ControllerTlsSettings {
  readonly source: string;
  readonly xdsAddress: string;
}

/** `gatehouse controller`: reads policy and serves it to authz-servers. */
export const controllerCommand: CommandDefinition<Values> = {
  name: "controller",
  summary: "Read policy and push it to authz-servers.",
  settings: {
    source: requiredText(
      "Where policy comes from: kubernetes (the API server), or dir:PATH (a directory of Kubernetes YAML)",
      "SOURCE",
    ),
    xdsAddress: text(
      "Where authz-servers get policy: HOST:PORT (without --xds-tls on loopback only), or unix:PATH (absolute)",
      "ADDRESS",
      DEFAULT_XDS_ADDRESS,
    ),
    ...controllerTlsSettings,
    ...kubernetesSettings,
    ...policySettings,
    ...keySettings,
    ...adminSettings(9091),
    ...logSettings,
  },
  async start(values, log) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const source = sourceOf(values);
    const kubernetes = toKubernetesOptions(values);
    const xdsTls = toControllerTls(values, kubernetes.namespace);
    const needsApi = source.kind === "kubernetes" || xdsTls?.kind === "self-managed";

    const parts = new Parts();
    let controller: RunningController | null = null;
    const readiness = () =>
      controller === null ? STARTING : { checks: controller.readiness(), version: controller.setVersion() };
    await parts.add(() => startAdmin({ host: values.adminHost, port: values.adminPort, registry, readiness, log }));
    controller = await parts.add(() =>
      startController({
        meshConfigFile: values.meshConfig,
        settings: toMeshSettings(values),
        ...toTenancyOptions(values),
        source,
        kubernetes: needsApi ? kubernetes : null,
        xdsTls,
        ...toKeyOptions("controller", values),
        xdsAddress: values.xdsAddress,
        log,
        registry,
      }),
    );
    return parts;
  },
};

function sourceOf({ source, allowPartial, workloadIdentities, ...rest }: Values): ControllerOptions["source"] {
  if (source === "kubernetes") {
    return { kind: "kubernetes", workloadIdentities, status: rest.status ? { leaseName: rest.leaseName } : null };
  }
  if (workloadIdentities) throw new UserError(["--workload-identities: only with --source kubernetes"], 2);
  if (source.startsWith("dir:") && source.length > "dir:".length) {
    return { kind: "directory", path: source.slice("dir:".length), allowPartial };
  }
  throw new UserError(
    [`--source: "${source}" is not a source; expected kubernetes, or dir:PATH, e.g. dir:./policies`],
    2,
  );
}
