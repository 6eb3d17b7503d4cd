import {
  type AuthzServerConfig,
  DEFAULT_CHECK_LIMITS,
  type ListenerConfig,
  parseListener,
} from "@gatehouse/authz-server";
import type { CheckSettings } from "./settings.ts";
import { UserError } from "./user-error.ts";

/** The check settings as options of the authz-server. @throws {UserError} with every `--listen` that can't be read */
export function toCheckOptions(values: CheckSettings): Pick<AuthzServerConfig, "listeners" | "limits" | "drain"> {
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
    limits: { ...DEFAULT_CHECK_LIMITS, maxMessageBytes: values.maxMessageBytes },
    drain: { waitMs: values.drainWaitMs, deadlineMs: values.drainDeadlineMs },
  };
}

function toAddress(host: string, port: number): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
