import { type CredentialsDirectory, openCredentialsDirectory } from "@gatehouse/protos/channel";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { AuthzServerConfig, XdsTlsOptions } from "./config.ts";
import { ControllerTls } from "./discovery/controller-tls.ts";
import type { CheckTls } from "./server/check-tls.ts";
import { type ChannelMetrics, createChannelMetrics } from "./telemetry/channel-metrics.ts";

/** TLS on both sides of the server, until it is stopped. */
export interface Certificates {
  /** null: the policy stream is not encrypted. */
  readonly controllerTls: ControllerTls | null;
  /** null: checks are not encrypted. */
  readonly checkTls: CheckTls | null;
  readiness(): readonly CertificateReadiness[];
  stop(): void;
}

/** One condition of being ready. */
export interface CertificateReadiness {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

export interface CertificateOptions
  extends Pick<AuthzServerConfig, "xdsTls" | "checkTlsDirectory" | "nowMs" | "random"> {
  readonly log: Logger;
  readonly registry: Registry;
}

/** Opens what the options name; the files may come later. */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { xdsTls, checkTlsDirectory, log, nowMs, registry } = options;
  const controller = xdsTls === null ? null : await openForController(xdsTls, { log, nowMs });
  // What Envoy looks for in the certificate is up to its configuration.
  const check =
    checkTlsDirectory === null
      ? null
      : await openCredentialsDirectory({ path: checkTlsDirectory, authority: "optional", log, nowMs });
  const metrics = createChannelMetrics(registry, { controller, check });
  return {
    controllerTls: toControllerTls(options, controller, metrics),
    checkTls:
      check === null
        ? null
        : { source: check, countRefusal: (reason) => metrics.refusedConnection(reason), log, nowMs },
    readiness: () => [
      // Without a certificate for the controller a server goes on with the policy it has.
      ...(controller === null ? [] : [{ ...stateOf("controller-tls", controller, nowMs()), ok: true }]),
      ...(check === null ? [] : [stateOf("check-tls", check, nowMs())]),
    ],
    stop() {
      controller?.stop();
      check?.stop();
    },
  };
}

function openForController(
  { directory: path, clientName: name = null }: XdsTlsOptions,
  { log, nowMs }: Pick<CertificateOptions, "log" | "nowMs">,
): Promise<CredentialsDirectory> {
  return openCredentialsDirectory({ path, authority: "required", self: { name, usage: "client" }, log, nowMs });
}

function toControllerTls(
  { xdsTls, nowMs, random }: CertificateOptions,
  source: CredentialsDirectory | null,
  metrics: ChannelMetrics,
): ControllerTls | null {
  if (xdsTls === null || source === null) return null;
  const onUnverified = () => metrics.unverifiedController();
  return new ControllerTls({ source, serverName: xdsTls.serverName, onUnverified, nowMs, random });
}

function stateOf(name: string, source: CredentialsDirectory, nowMs: number): CertificateReadiness {
  const credentials = source.current();
  const state =
    credentials === null ? "no certificate yet" : `certificate until ${credentials.leaf.validToDate.toISOString()}`;
  const problem = source.problem();
  const ok = credentials !== null && nowMs < credentials.expiresAtMs;
  return { name, ok, message: problem === null ? state : `${state}\n${problem}` };
}
