import {
  type AuthzServerConfig,
  DEFAULT_CHECK_LIMITS,
  type ListenerConfig,
  parseListener,
} from "@gatehouse/authz-server";
import type { CheckSettings, LogSettings } from "./settings.ts";
import { UserError } from "./user-error.ts";
import { toWorkers } from "./worker-entry.ts";

/** The check settings as options of the authz-server. @throws {UserError} with every `--listen` that can't be read */
export function toCheckOptions(
  values: CheckSettings & LogSettings,
): Pick<
  AuthzServerConfig,
  "listeners" | "transport" | "workers" | "checkTlsDirectory" | "maxConnections" | "limits" | "drain"
> {
  const listeners: ListenerConfig[] = [{ address: toAddress(values.host, values.checkPort), identity: null }];
  const problems: string[] = [];
  for (const text of values.listen) {
    const parsed = parseListener(text, values.host);
    if (parsed.ok) listeners.push(parsed.listener);
    else problems.push(`--listen ${parsed.message}`);
  }
  if (problems.length > 0) throw new UserError(problems, 2);
  return {
    listeners,
    transport: values.transport,
    workers: toWorkers(values.workers, values.logLevel),
    checkTlsDirectory: values.checkTlsDir,
    maxConnections: values.maxConnections,
    limits: { ...DEFAULT_CHECK_LIMITS, maxMessageBytes: values.maxMessageBytes },
    drain: { waitMs: values.drainWaitMs, deadlineMs: values.drainDeadlineMs },
  };
}

function toAddress(host: string, port: number): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
