import type { PolicyObject, PolicySet } from "../policy-set.ts";
import { APPLICATION } from "../policy-set.ts";
import { jwtAuthnFilter } from "./jwt-authn.ts";
import { rbacFilters } from "./rbac.ts";
import { gatewayRoutes } from "./routes.ts";
import type { AuthorizationSpec, JwtRuleSpec, VirtualServiceSpec } from "./spec.ts";
import type { Config } from "./string-matcher.ts";

/**
 * The listener that decides by Envoy's own filters, as Istio would have configured them for the set's objects.
 * @param gatehouse the listener of the same set that asks Gatehouse: connection manager and listener filters are the same
 */
export function oracleListener(gatehouse: Config, set: PolicySet, name: string): Config {
  return JSON.parse(JSON.stringify({ ...gatehouse, name }), (key, value) => {
    if (key === "http_filters") return filters(set);
    if (key === "route_config") return routes(set);
    // Only Gatehouse's listeners need to drop Gatehouse's own headers.
    return key === "early_header_mutation_extensions" ? undefined : value;
  });
}

function filters(set: PolicySet): readonly Config[] {
  const jwtRules = specs<{ readonly jwtRules?: readonly JwtRuleSpec[] }>(
    byLookup(set),
    "RequestAuthentication",
  ).flatMap(({ spec }) => spec.jwtRules ?? []);
  const jwtAuthn = jwtAuthnFilter(jwtRules, set.kind === "gateway");
  return [
    ...(jwtAuthn === undefined ? [] : [jwtAuthn]),
    ...rbacFilters(specs<AuthorizationSpec>(set.objects, "AuthorizationPolicy")),
    ...(set.kind === "gateway" ? [filter("fault", "HTTPFault"), filter("cors", "Cors")] : []),
    filter("router", "Router"),
  ];
}

/** RequestAuthentications of the workload's namespace are looked up before those of the root namespace. */
function byLookup(set: PolicySet): readonly PolicyObject[] {
  const own = set.objects.filter(({ metadata }) => metadata.namespace === "foo");
  return [...own, ...set.objects.filter((object) => !own.includes(object))];
}

// The generator wrote the objects, so their specs have the shape that their kind says.
function specs<Spec>(
  objects: readonly PolicyObject[],
  kind: string,
): readonly { readonly object: PolicyObject; readonly spec: Spec }[] {
  return objects
    .filter((object) => object.kind === kind)
    .map((object) => ({ object, spec: JSON.parse(JSON.stringify(object.spec)) }));
}

function routes(set: PolicySet): Config {
  if (set.kind === "gateway") {
    return gatewayRoutes(specs<VirtualServiceSpec>(set.objects, "VirtualService").map(({ spec }) => spec));
  }
  const route = { cluster: APPLICATION, timeout: "0s" };
  return {
    name: "inbound",
    virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route }] }],
  };
}

function filter(name: string, type: string): Config {
  return {
    name: `envoy.filters.http.${name}`,
    typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${name}.v3.${type}` },
  };
}
