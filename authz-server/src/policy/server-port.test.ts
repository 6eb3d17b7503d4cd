import { expect, test } from "vitest";
import { serverPortOf } from "./server-port.ts";

test.each<[name: string, ports: readonly number[], localPort: number, expected: number]>([
  ["the same port", [80, 443], 443, 443],
  ["80 behind Istio's Service", [80, 443], 8080, 80],
  ["443 behind Istio's Service", [80, 443], 8443, 443],
  ["80 behind Istio's Service, where 8080 is a port too", [80, 8080], 8080, 80],
  ["8080 itself, where there is no 80", [8080, 9090], 8080, 8080],
  ["80 of Envoy Gateway", [80, 443], 10080, 80],
  ["443 of Envoy Gateway", [80, 443, 10080], 10443, 443],
  ["the same port before that of Envoy Gateway", [80, 443, 10080], 10080, 10080],
  ["any low port of Envoy Gateway", [80, 1023], 11023, 1023],
  ["none: Envoy Gateway leaves this one as it is", [80, 1024], 11024, 11024],
  ["none: 8080 of Istio's Service is not shifted", [80, 443], 18080, 18080],
  ["none: no server has it", [80, 443], 9000, 9000],
  ["none: no server has what is shifted", [80, 443], 10444, 10444],
  ["the only port, whatever listens", [8000], 31080, 8000],
  ["the only port, beside servers for every port", [0, 443], 10080, 443],
  ["where all servers are for every port, Istio's mapping", [0], 8080, 80],
  ["where all servers are for every port, else the local port", [0], 10080, 10080],
])("the server behind a listener: %s (%j, %i)", (_name, ports, localPort, expected) => {
  const servers = ports.map((port) => ({
    server: { port, protocol: "HTTP" as const, hosts: ["*"], httpsRedirect: false },
  }));
  expect(serverPortOf(localPort, servers)).toBe(expected);
});
