import { isIPv4 } from "node:net";
import type { AuthzServerConfig } from "@gatehouse/authz-server";
import type { ControllerConfig } from "@gatehouse/controller";
import { choice, type SettingTable, text } from "./setting.ts";
import { UserError } from "./user-error.ts";

/** What the controller shows to the authz-servers, and whom it lets in. */
export interface ControllerTlsSettings {
  readonly xdsTls: "off" | "self-managed" | "files";
  readonly xdsTlsDir: string | null;
  readonly xdsCaSecret: string;
  readonly xdsClientSecret: string;
  /** null: made of the namespace; with files any. */
  readonly xdsServerName: string | null;
  /** null: made of the namespace. */
  readonly xdsClientName: string | null;
}

export const controllerTlsSettings: SettingTable<ControllerTlsSettings> = {
  xdsTls: choice(
    "Certificates of the policy stream: made by the controller and kept in two Secrets, read from files, or none",
    ["off", "self-managed", "files"],
    "off",
  ),
  xdsTlsDir: text("With --xds-tls files: directory of tls.crt, tls.key and ca.crt, watched", "DIR", null),
  xdsCaSecret: text("Self-managed: existing Secret for the certificate authority", "NAME", "gatehouse-ca"),
  xdsClientSecret: text(
    "Self-managed: existing Secret for the authz-servers' certificate",
    "NAME",
    "gatehouse-authz-server-tls",
  ),
  xdsServerName: text(
    "DNS name that the controller's own certificate must have (default: gatehouse-controller.NAMESPACE.svc; with --xds-tls files any)",
    "NAME",
    null,
  ),
  xdsClientName: text(
    "DNS name that the authz-servers' certificate must have (default: gatehouse-authz-server.NAMESPACE.svc)",
    "NAME",
    null,
  ),
};

/** The settings as an option of the controller. @throws {UserError} */
export function toControllerTls(values: ControllerTlsSettings, namespace: string): ControllerConfig["xdsTls"] {
  const { xdsTlsDir: directory, xdsTls: kind } = values;
  if (kind !== "files" && directory !== null) throw new UserError(["--xds-tls-dir: only with --xds-tls files"], 2);
  if (kind === "off") return null;
  const clientName = exactName("--xds-client-name", values.xdsClientName ?? `gatehouse-authz-server.${namespace}.svc`);
  switch (kind) {
    case "files":
      if (directory === null) throw new UserError(["--xds-tls files: --xds-tls-dir is missing"], 2);
      return { kind, directory, serverName: ownName("--xds-server-name", values.xdsServerName), clientName };
    case "self-managed":
      return {
        kind,
        namespace,
        authoritySecret: values.xdsCaSecret,
        clientSecret: values.xdsClientSecret,
        serverName: exactName("--xds-server-name", values.xdsServerName ?? `gatehouse-controller.${namespace}.svc`),
        clientName,
      };
  }
}

/** What the authz-server shows to the controller, and what the controller has to show. */
export interface AuthzServerTlsSettings {
  readonly xdsTlsDir: string | null;
  /** null: the host of the controller's address. */
  readonly xdsServerName: string | null;
  /** null: any. */
  readonly xdsClientName: string | null;
}

export const authzServerTlsSettings: SettingTable<AuthzServerTlsSettings> = {
  xdsTlsDir: text(
    "Directory of tls.crt, tls.key and ca.crt for the policy stream, watched (default: no TLS)",
    "DIR",
    null,
  ),
  xdsServerName: text(
    "DNS name that the controller's certificate must have (default: the host of --controller)",
    "NAME",
    null,
  ),
  xdsClientName: text(
    "DNS name that our own certificate must have (default: any; the controller looks at it)",
    "NAME",
    null,
  ),
};

/** The settings as an option of the authz-server. @throws {UserError} also when policy would come over a network without TLS */
export function toAuthzServerTls(values: AuthzServerTlsSettings, controller: string): AuthzServerConfig["xdsTls"] {
  const host = controller.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  const isLocal = controller.startsWith("unix:") || host === "localhost" || host === "::1" || isLoopback(host);
  if (values.xdsTlsDir === null) {
    if (isLocal) return null;
    const advice = "give --xds-tls-dir, or a controller on loopback or a unix socket";
    throw new UserError([`--controller ${controller}: policy is not taken from a network without TLS; ${advice}`], 2);
  }
  const serverName = exactName("--xds-server-name", values.xdsServerName ?? host);
  const clientName = ownName("--xds-client-name", values.xdsClientName);
  return { directory: values.xdsTlsDir, serverName, clientName };
}

function isLoopback(host: string): boolean {
  return isIPv4(host) && host.startsWith("127.");
}

/** @returns null: our own certificate may have any name */
function ownName(flag: string, name: string | null): string | null {
  return name === null ? null : exactName(flag, name);
}

/** Names are compared letter by letter: what can't be the name of a service can't be meant. */
function exactName(flag: string, name: string): string {
  if (/^[a-z\d]([a-z\d.-]*[a-z\d])?$/.test(name) && !isIPv4(name)) return name;
  const example = "gatehouse-controller.gatehouse-system.svc";
  throw new UserError([`${flag}: "${name}" is not a DNS name in lower case without wildcards, such as ${example}`], 2);
}
