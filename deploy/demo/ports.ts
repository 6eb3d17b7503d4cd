import { createServer } from "node:net";

/** The ports of the demo on 127.0.0.1. */
export interface DemoPorts {
  /** The ingress gateway. */
  readonly gateway: number;
  /** The sidecar of httpbin. */
  readonly httpbin: number;
  /** ext_authz. */
  readonly check: number;
  /** Health, readiness and metrics of Gatehouse. */
  readonly admin: number;
}

/** Reads the ports from the environment and makes sure that they are free. */
export async function readPorts(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<
  { readonly ok: true; readonly ports: DemoPorts } | { readonly ok: false; readonly errors: readonly string[] }
> {
  const errors: string[] = [];
  const read = async ({ variable, defaultPort, purpose }: PortSetting): Promise<number> => {
    const text = environment[variable] ?? String(defaultPort);
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
      errors.push(`${variable}=${text} is not a port; give a number from 1 to 65535`);
    } else if (!(await isFree(port))) {
      errors.push(
        `port ${port} (${purpose}) is in use; stop what uses it, or choose another one: ${variable}=PORT make demo`,
      );
    }
    return port;
  };
  const ports = {
    gateway: await read(SETTINGS.gateway),
    httpbin: await read(SETTINGS.httpbin),
    check: await read(SETTINGS.check),
    admin: await read(SETTINGS.admin),
  };
  return errors.length === 0 ? { ok: true, ports } : { ok: false, errors };
}

interface PortSetting {
  readonly variable: string;
  readonly defaultPort: number;
  readonly purpose: string;
}

const SETTINGS: Readonly<Record<keyof DemoPorts, PortSetting>> = {
  gateway: { variable: "DEMO_GATEWAY_PORT", defaultPort: 8080, purpose: "ingress gateway" },
  httpbin: { variable: "DEMO_HTTPBIN_PORT", defaultPort: 8000, purpose: "httpbin" },
  check: { variable: "DEMO_CHECK_PORT", defaultPort: 9001, purpose: "ext_authz" },
  admin: { variable: "DEMO_ADMIN_PORT", defaultPort: 9090, purpose: "admin of Gatehouse" },
};

// Asked here, because two Envoys can listen on one port (SO_REUSEPORT) and would share the requests silently.
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
