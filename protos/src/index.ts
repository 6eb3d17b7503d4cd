/** The policy model: what the controller produces and the authz-server enforces. Plain data; knows neither Kubernetes nor gRPC. */
export type * from "./model/authorization.ts";
export * from "./model/gateway-hosts.ts";
export * from "./model/host-pattern.ts";
export * from "./model/host-patterns.ts";
export type * from "./model/jwt.ts";
export * from "./model/mesh.ts";
export * from "./model/prefix-trie.ts";
export * from "./model/resource.ts";
export * from "./model/routing.ts";
export type * from "./model/string-match.ts";
export * from "./model/workload.ts";
