import { type RunningController, startController } from "@gatehouse/controller";
import { collectDefaultMetrics, Registry } from "prom-client";
import { STARTING, startAdmin } from "../admin.ts";
import type { CommandDefinition } from "../command-definition.ts";
import { type KeySettings, keySettings, toKeyOptions } from "../key-settings.ts";
import { Parts } from "../parts.ts";
import { toPolicyOptions } from "../policy-options.ts";
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

interface Values extends LogSettings, PolicySettings, KeySettings, AdminSettings {
  readonly source: string;
  readonly xdsAddress: string;
}

/** `gatehouse controller`: reads policy and serves it to authz-servers. */
export const controllerCommand: CommandDefinition<Values> = {
  name: "controller",
  summary: "Read policy and push it to authz-servers.",
  settings: {
    source: requiredText("Where policy comes from: dir:PATH, a directory of Kubernetes YAML", "SOURCE"),
    xdsAddress: text(
      "Where authz-servers get policy: HOST:PORT on loopback, or unix:PATH (absolute)",
      "ADDRESS",
      DEFAULT_XDS_ADDRESS,
    ),
    ...policySettings,
    ...keySettings,
    ...adminSettings(9091),
    ...logSettings,
  },
  async start(values, log) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const directory = directoryOf(values.source);

    const parts = new Parts();
    let controller: RunningController | null = null;
    const readiness = () =>
      controller === null ? STARTING : { checks: controller.readiness(), version: controller.setVersion() };
    await parts.add(() => startAdmin({ host: values.adminHost, port: values.adminPort, registry, readiness, log }));
    controller = await parts.add(() =>
      startController({
        ...toPolicyOptions(directory, values),
        ...toKeyOptions("controller", values),
        xdsAddress: values.xdsAddress,
        log,
        registry,
      }),
    );
    return parts;
  },
};

function directoryOf(source: string): string {
  if (source.startsWith("dir:") && source.length > "dir:".length) return source.slice("dir:".length);
  throw new UserError([`--source: "${source}" is not a source; expected dir:PATH, e.g. dir:./policies`], 2);
}
