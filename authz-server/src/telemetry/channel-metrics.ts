import type { CredentialsSource, Refusal } from "@gatehouse/protos/channel";
import { Counter, Gauge, type Registry } from "prom-client";

/** What the encrypted connections report. */
export interface ChannelMetrics {
  /** Counts an attempt at which whoever answered did not prove to be the controller. */
  unverifiedController(): void;
  /** Counts a connection to the check port that was refused or cut. */
  refusedConnection(reason: Refusal): void;
}

/** Where certificates come from; null: there are none of that kind. */
export interface CertificateSources {
  /** Towards the controller. */
  readonly controller: CredentialsSource | null;
  /** Towards Envoy. */
  readonly check: CredentialsSource | null;
}

/** Registers the metrics. */
export function createChannelMetrics(registry: Registry, { controller, check }: CertificateSources): ChannelMetrics {
  const unverified = new Counter({
    name: "gatehouse_authz_unverified_controller_total",
    help: "Attempts at which whoever answered at the controller's address did not prove to be the controller.",
    registers: [registry],
  });
  const refused = new Counter({
    name: "gatehouse_authz_refused_connections_total",
    help: "TLS connections to the check ports that were refused or cut, by reason.",
    labelNames: ["reason"],
    registers: [registry],
  });
  new Gauge({
    name: "gatehouse_authz_certificate_expiry_timestamp_seconds",
    help: "When a certificate expires.",
    labelNames: ["certificate"],
    aggregator: "min",
    registers: [registry],
    collect() {
      this.reset();
      const shown = [
        { certificate: "client", expiresAtMs: controller?.current()?.expiresAtMs },
        { certificate: "ca", expiresAtMs: controller?.current()?.authorityExpiresAtMs },
        { certificate: "check", expiresAtMs: check?.current()?.expiresAtMs },
        { certificate: "check-ca", expiresAtMs: check?.current()?.authorityExpiresAtMs },
      ];
      for (const { certificate, expiresAtMs } of shown) {
        if (typeof expiresAtMs === "number") this.set({ certificate }, expiresAtMs / 1000);
      }
    },
  });
  return {
    unverifiedController: () => unverified.inc(),
    refusedConnection: (reason) => refused.inc({ reason }),
  };
}
