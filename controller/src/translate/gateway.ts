import type { Gateway } from "@gatehouse/protos";
import type { GatewaySpec, Server } from "../resources/gen/types.ts";
import type { ObjectMetadata } from "../resources/object.ts";
import { toLabels } from "./labels.ts";
import { toObjectMeta } from "./object-meta.ts";
import type { Findings } from "./report.ts";

const HTTP_PROTOCOLS = ["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB"];

/** Translates what VirtualServices need to know of a Gateway. Listeners and certificates are Envoy's own configuration. */
export function translateGateway(metadata: ObjectMetadata, spec: GatewaySpec, findings: Findings): Gateway {
  const servers = spec.servers ?? [];
  if (servers.length === 0) findings.invalid("spec.servers", "gateway must have at least one server");
  return {
    kind: "Gateway",
    meta: toObjectMeta(metadata, ""),
    selector: toLabels(spec.selector),
    servers: servers.map((server, i) => {
      checkServer(server, `spec.servers[${i}]`, findings);
      return {
        port: server.port.number,
        protocol: server.port.protocol.toUpperCase(),
        hosts: server.hosts.map((host) => host.toLowerCase()),
        httpsRedirect: server.tls?.httpsRedirect ?? false,
      };
    }),
  };
}

function checkServer(server: Server, path: string, findings: Findings): void {
  const { number, protocol } = server.port;
  if (number < 1 || number > 65_535) {
    findings.invalid(`${path}.port.number`, `port number ${number} must be in the range 1..65535`);
  }
  if (!HTTP_PROTOCOLS.includes(protocol.toUpperCase())) {
    findings.unsupported(`${path}.port.protocol`, `only HTTP requests are routed here, protocol ${protocol} is not`);
  }
  if (server.hosts.length === 0) findings.invalid(`${path}.hosts`, "server config must contain at least one host");
}
