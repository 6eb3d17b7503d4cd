/** The engine without its server: for tests, tools and everything that wants the very decisions of the request path. */
export { TokenCache } from "./authn/token-cache.ts";
export type { AskProvider, ProviderAnswer } from "./custom/provider-answer.ts";
export { type DecideIo, type DecisionRecorder, decide } from "./decide.ts";
export type { Allow, Decision, HeaderMutation, Respond } from "./decision.ts";
export { closestConditions } from "./explain/explain-rule.ts";
export type * from "./explain/explanation.ts";
export { notField } from "./explain/not-field.ts";
export { type Explained, explain } from "./explain.ts";
export { type HeaderLine, type HttpRequest, toByteString } from "./http-request.ts";
export type { PolicyIndex } from "./policy/policy-index.ts";
export { parseWorkload, type Workload, type WorkloadIdentity } from "./policy/workload.ts";
export type { WorkloadPolicy } from "./policy/workload-policy.ts";
export { applyUpdate, type PolicyUpdate, type Prepared, type PrepareError } from "./policy-update.ts";
