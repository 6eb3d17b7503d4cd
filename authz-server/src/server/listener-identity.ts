import type { Labels } from "@gatehouse/protos";

/** The workload that everything on one listening port speaks for. */
export interface ListenerIdentity {
  readonly namespace: string;
  readonly labels: Labels;
  /** `namespace/name` of the Gateways it serves; empty: not said. */
  readonly gateways: readonly string[];
}

/** Where to listen. `identity` null: each caller says who it is, by metadata or context extensions. */
export interface ListenerConfig {
  /** `host:port`, `[v6]:port` or `unix:PATH`; port 0 takes a free one. */
  readonly address: string;
  readonly identity: ListenerIdentity | null;
}

/**
 * Reads `[HOST:]PORT=NAMESPACE/LABEL=VALUE[,LABEL=VALUE...][;gateways=NS/NAME[,NS/NAME...]]`,
 * or `unix:PATH=...`. Labels may be left out: `9101=foo/`.
 * @param defaultHost for a bare port
 * @returns the listener, or one sentence that says what is wrong
 */
export function parseListener(
  text: string,
  defaultHost: string,
): { readonly ok: true; readonly listener: ListenerConfig } | { readonly ok: false; readonly message: string } {
  const equals = text.indexOf("=");
  const wrong = (why: string) =>
    ({
      ok: false,
      message: `"${text}": ${why}; expected for example 9101=foo/app=httpbin,version=v1;gateways=foo/my-gateway`,
    }) as const;
  if (equals < 0) return wrong("no workload after the port");
  const address = toAddress(text.slice(0, equals), defaultHost);
  if (address === null) return wrong("not a port, host:port or unix:PATH");
  const [workload = "", ...options] = text.slice(equals + 1).split(";");
  const slash = workload.indexOf("/");
  if (slash < 0) return wrong("the workload is not NAMESPACE/LABELS");
  const namespace = workload.slice(0, slash);
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) return wrong(`"${namespace}" is not a namespace`);

  const labels: { name: string; value: string }[] = [];
  for (const pair of listOf(workload.slice(slash + 1))) {
    const at = pair.indexOf("=");
    if (at < 1) return wrong(`label "${pair}" is not NAME=VALUE`);
    labels.push({ name: pair.slice(0, at), value: pair.slice(at + 1) });
  }
  let gateways: readonly string[] = [];
  for (const option of options) {
    if (!option.startsWith("gateways=")) return wrong(`"${option}" is not known`);
    gateways = listOf(option.slice("gateways=".length));
    const bad = gateways.find((gateway) => !/^[^/]+\/[^/]+$/.test(gateway));
    if (bad !== undefined) return wrong(`gateway "${bad}" is not NAMESPACE/NAME`);
  }
  return { ok: true, listener: { address, identity: { namespace, labels, gateways } } };
}

function toAddress(text: string, defaultHost: string): string | null {
  if (text.startsWith("unix:")) return text.length > "unix:".length ? text : null;
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = match?.[2];
  if (match === null || port === undefined || Number(port) > 65_535) return null;
  return `${match[1] ?? defaultHost}:${port}`;
}

function listOf(text: string): string[] {
  return text.split(",").filter((part) => part !== "");
}
