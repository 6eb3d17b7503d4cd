import type { ServedBy } from "../routing/route-table.ts";

/**
 * The port of the Gateway's server behind a local port. What listens can't listen at 80 and 443 where it is not root: Istio's ingress
 * Service maps 80 to 8080 and 443 to 8443, Envoy Gateway adds 10000 to ports below 1024. A gateway all of whose servers have one port
 * needs no mapping.
 * @returns a port that some server has, if there is one; else the local port, by Istio's mapping
 */
export function serverPortOf(localPort: number, servers: readonly Pick<ServedBy, "server">[]): number {
  const ports = new Set(servers.map(({ server }) => server.port).filter((port) => port !== 0));
  const [only] = ports;
  if (ports.size === 1 && only !== undefined) return only;
  const behindService = SERVICE_PORTS.get(localPort) ?? localPort;
  const candidates = [behindService, localPort, unshifted(localPort)];
  return candidates.find((port) => ports.has(port)) ?? behindService;
}

const SERVICE_PORTS: ReadonlyMap<number, number> = new Map([
  [8080, 80],
  [8443, 443],
]);

const SHIFT = 10_000;
const FIRST_UNPRIVILEGED = 1024;

/** Envoy Gateway shifts no other ports. */
function unshifted(localPort: number): number {
  return localPort - SHIFT < FIRST_UNPRIVILEGED ? localPort - SHIFT : localPort;
}
