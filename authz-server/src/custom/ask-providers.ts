import type { ExtensionProvider, PolicyRef } from "@gatehouse/protos";
import { NO_TOKEN } from "../authn/authn-result.ts";
import type { RequestAttributes } from "../authz/attributes.ts";
import { readingsOf } from "../authz/readings.ts";
import { toAttributes } from "../authz/to-attributes.ts";
import { accessDenied, badPath, type Decision, type Respond } from "../decision.ts";
import type { HttpRequest } from "../http-request.ts";
import { normalizeTarget } from "../policy/path-normalizer.ts";
import type { WorkloadPolicy } from "../policy/workload-policy.ts";
import { applyAllow, type ChangedRequest, unchanged, withChanges } from "./changed-request.ts";
import type { AskProvider, ProviderAnswer } from "./provider-answer.ts";

/** What asking needs of the world. */
export interface AskIo {
  /** Left out: nobody can be asked, so a request that a CUSTOM rule is about is denied. */
  readonly askProvider?: AskProvider | undefined;
  /** Hears of the request as CUSTOM rules see it, before they are asked; for explanations. */
  readonly onEvaluate?: ((step: "custom", readings: readonly RequestAttributes[]) => void) | undefined;
}

/**
 * The CUSTOM step: each provider whose rules match is asked, in order of name. A denial ends the request; what an allow changes is seen by
 * the rules of later providers, by later providers, and by `next`. Waits only when a provider is asked.
 * @param next decides about the request as the providers leave it
 */
export function askProviders(
  policy: WorkloadPolicy,
  request: HttpRequest,
  io: AskIo,
  next: (request: HttpRequest) => Decision,
): Decision | Promise<Decision> {
  const step = nextStep(policy, unchanged(request), 0, io);
  if (step.kind === "respond") return step;
  return step.kind === "done" ? next(request) : askInTurn(policy, step, io, next);
}

/** A provider to ask, no more to ask, or an answer that needs no asking. */
type Step = Asking | { readonly kind: "done"; readonly changed: ChangedRequest } | Respond;

interface Asking {
  readonly kind: "ask";
  readonly ask: () => Promise<ProviderAnswer>;
  readonly provider: ExtensionProvider;
  /** The policy whose rule wants it. */
  readonly ref: PolicyRef;
  readonly at: number;
  readonly changed: ChangedRequest;
  /** As the provider was told, with query. */
  readonly path: string;
}

async function askInTurn(
  policy: WorkloadPolicy,
  first: Asking,
  io: AskIo,
  next: (request: HttpRequest) => Decision,
): Promise<Decision> {
  let step: Step = first;
  let { changed } = first;
  while (step.kind === "ask") {
    const outcome = takeAnswer(step, await step.ask());
    if (outcome.kind === "respond") return withChanges(outcome, changed);
    changed = outcome.changed;
    step = nextStep(policy, changed, step.at + 1, io);
  }
  return withChanges(step.kind === "respond" ? step : next(changed.request), changed);
}

function nextStep(policy: WorkloadPolicy, changed: ChangedRequest, from: number, io: AskIo): Step {
  if (from >= policy.custom.length) return { kind: "done", changed };
  const { request } = changed;
  const target = normalizeTarget(request.path, policy.mesh.pathNormalization);
  if (target === undefined) return badPath();
  const attributes = toAttributes(policy, request, target, NO_TOKEN);
  const readings = readingsOf(policy, attributes);
  io.onEvaluate?.("custom", readings);
  for (const [at, check] of policy.custom.entries()) {
    if (at < from) continue;
    const rule = check.rules.first(readings);
    if (rule === undefined) continue;
    const { provider } = check;
    const { askProvider } = io;
    if (provider === null || askProvider === undefined) return accessDenied("custom_error", rule.ref);
    // The provider judges what goes on: the path as authorized, and no header that only we may set.
    const path = target.path + attributes.query;
    const asked: HttpRequest = { ...request, path, headers: attributes.headers };
    return { kind: "ask", ask: () => askProvider(provider, asked), provider, ref: rule.ref, at, changed, path };
  }
  return { kind: "done", changed };
}

/** The provider's answer as a denial, or the request as it goes on. */
function takeAnswer(
  { provider, ref, changed, path }: Asking,
  answer: ProviderAnswer,
): Respond | { readonly kind: "goesOn"; readonly changed: ChangedRequest } {
  switch (answer.kind) {
    case "allow":
      return { kind: "goesOn", changed: applyAllow(changed, answer, path) };
    case "deny": {
      const { status, headers, body } = answer;
      return { kind: "respond", status, headers, body, reason: "custom_denied", ref };
    }
    case "failed": {
      if (provider.failOpen) return { kind: "goesOn", changed };
      const { headers, body } = answer.answer ?? NO_ANSWER;
      const status = answer.answer?.status || provider.statusOnError;
      return { kind: "respond", status, headers, body, reason: "custom_error", ref };
    }
    case "refused":
      return { kind: "respond", status: answer.status, headers: [], body: "", reason: "custom_error", ref };
  }
}

const NO_ANSWER = { headers: [], body: "" } as const;
