import type { VirtualService } from "@gatehouse/protos";
import type { VirtualServiceSpec } from "../resources/gen/types.ts";
import type { ObjectMetadata } from "../resources/object.ts";
import type { TranslateContext } from "./context.ts";
import { resolveGateway } from "./gateway-name.ts";
import { checkWildcardHost, findOverlaps, qualifyHost } from "./host-name.ts";
import { translateHttpRoute } from "./http-route.ts";
import { toObjectMeta } from "./object-meta.ts";
import { RegexChecks } from "./regex.ts";
import type { Findings } from "./report.ts";

/**
 * Translates a VirtualService. Routes that can't be translated are left out; the hosts stay, so that their requests get 404 rather
 * than an answer of somebody else.
 * @see https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
export function translateVirtualService(
  metadata: ObjectMetadata,
  spec: VirtualServiceSpec,
  { dnsSuffix, routing = "cluster" }: TranslateContext,
  findings: Findings,
): VirtualService {
  const { namespace } = metadata;
  const isDelegate = (spec.hosts?.length ?? 0) === 0;
  const gateways = toGateways(spec, namespace, isDelegate);
  checkSpec(spec, isDelegate, gateways, findings);
  const regexes = new RegexChecks();
  const scope = { namespace, dnsSuffix, routing, gateways: spec.gateways ?? [], isDelegate, regexes };
  const http = (spec.http ?? []).map((route, index) => translateHttpRoute(route, index, scope, findings));
  return {
    kind: "VirtualService",
    meta: toObjectMeta(metadata, ""),
    hosts: (spec.hosts ?? []).map((host) => qualifyHost(host.toLowerCase(), namespace, dnsSuffix)),
    gateways,
    exportTo: spec.exportTo ?? [],
    http: http.filter((route) => route !== null),
    keepsHosts: http.includes(null),
    refusedHosts: [],
  };
}

/** Gateways by their full names; a VirtualService without any is for sidecars, a delegate for the gateways of its root. */
function toGateways(spec: VirtualServiceSpec, namespace: string, isDelegate: boolean): readonly string[] {
  const written = spec.gateways ?? [];
  if (written.length === 0) return isDelegate ? [] : ["mesh"];
  return written.map((gateway) => resolveGateway(gateway, namespace));
}

function checkSpec(
  spec: VirtualServiceSpec,
  isDelegate: boolean,
  gateways: readonly string[],
  findings: Findings,
): void {
  if (isDelegate && gateways.length > 0) {
    findings.invalid("spec.gateways", "delegate virtual service must have no gateways specified");
  }
  checkHosts(spec.hosts ?? [], gateways, findings);
  const hasOther = (spec.tcp?.length ?? 0) > 0 || (spec.tls?.length ?? 0) > 0;
  if ((spec.http?.length ?? 0) === 0 && !hasOther) {
    findings.invalid("spec", "http, tcp or tls must be provided in virtual service");
  }
  for (const field of ["tcp", "tls"] as const) {
    if ((spec[field]?.length ?? 0) > 0) {
      findings.unsupported(`spec.${field}`, `${field} routes concern connections; only HTTP requests are routed here`);
    }
  }
}

function checkHosts(hosts: readonly string[], gateways: readonly string[], findings: Findings): void {
  let areValid = true;
  for (const [i, host] of hosts.entries()) {
    const isWildMesh = host === "*" && gateways.includes("mesh");
    const wildcard = "wildcard host * is not allowed for virtual services bound to the mesh gateway";
    const message = isWildMesh ? wildcard : checkWildcardHost(host);
    if (message === null) continue;
    areValid = false;
    findings.invalid(`spec.hosts[${i}]`, message);
  }
  if (!areValid) return;
  for (const [other, i] of findOverlaps(hosts)) {
    findings.invalid(`spec.hosts[${i}]`, `duplicate hosts in virtual service: ${hosts[other]} & ${hosts[i]}`);
  }
}
