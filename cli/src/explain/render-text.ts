import {
  type AttemptExplanation,
  type ConditionExplanation,
  closestConditions,
  type Explanation,
  type PolicyExplanation,
  type RouteCandidate,
  type RouteExplanation,
  type RuleExplanation,
  type TokenExplanation,
} from "@gatehouse/authz-server/engine";
import type { LoadProblem } from "@gatehouse/controller";
import { conditionText } from "./condition-text.ts";
import { createPaint, type Paint } from "./paint.ts";
import { terminalSafe } from "./terminal-safe.ts";

/** What `gatehouse explain -o json` prints. */
export interface Answer extends Explanation {
  /** Of this form: raised when a member changes its meaning. */
  readonly version: 1;
  /** What is wrong with the files; `text` begins with file and line. */
  readonly problems: readonly LoadProblem[];
}

export interface UnusedPolicies {
  readonly authorizationPolicies: readonly string[];
  readonly requestAuthentications: readonly string[];
}

export interface RenderOptions {
  /** The policies of the directory that do not apply to the workload, `namespace/name`. */
  readonly unused: UnusedPolicies;
  readonly colours: boolean;
}

/** The answer for people: verdict, nearest miss, token, policies, route, problems; the most telling first. */
export function renderText(answer: Answer, { unused, colours }: RenderOptions): string {
  const paint = createPaint(colours);
  const safe = terminalSafe(answer);
  const others = terminalSafe(unused);
  const sections = [
    headLines(safe, paint),
    missLines(safe, paint),
    tokenLines(safe.token, others.requestAuthentications, paint),
    policyLines(safe, others.authorizationPolicies, paint),
    routeLines(safe.route, paint),
    problemLines(safe, paint),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headLines({ verdict, request, workload, policies }: Answer, paint: Paint): readonly string[] {
  const colour = verdict.outcome === "deny" ? paint.bad : paint.good;
  const url = `${request.scheme}://${request.host}${request.path ?? request.sentPath}`;
  const where = `${workload.namespace}/${workload.labels}${workload.isGateway ? " (a gateway)" : ""}`;
  const isChanged = request.path !== null && request.path !== request.sentPath;
  const wouldDeny = policies.filter(({ action, dryRun, matches }) => dryRun && action === "DENY" && matches);
  return [
    colour(paint.strong(verdict.summary)),
    `${request.method} ${url}  at workload ${where}`,
    ...(isChanged ? [`The path was sent as ${request.sentPath}; policies and upstream see ${request.path}`] : []),
    ...wouldDeny.map(
      ({ policy }) => `In dry-run: AuthorizationPolicy ${policy.namespace}/${policy.name} would deny it`,
    ),
  ];
}

function missLines({ nearestMiss }: Answer, paint: Paint): readonly string[] {
  if (nearestMiss === null) return [];
  const { object, part, conditions } = nearestMiss;
  return [
    `${paint.strong("Nearest miss")}  ${object.kind} ${object.namespace}/${object.name}, ${part}`,
    ...conditions.map((condition) => conditionLine(condition, 1, paint)),
  ];
}

function conditionLine(condition: ConditionExplanation, depth: number, paint: Paint): string {
  const { holds, field } = condition;
  const text = `${mark(holds)} ${field}  ${conditionText(condition)}`;
  return `${indent(depth)}${holds ? text : paint.bad(text)}`;
}

/** What does not match says in its own line why; what matches lists all that it asked. */
function matchLines(title: string, conditions: readonly ConditionExplanation[], depth: number, paint: Paint): string[] {
  const failed = conditions.filter(({ holds }) => !holds);
  const [first] = failed;
  if (first === undefined) {
    const every = conditions.length === 0 ? "  every request" : "";
    return [`${indent(depth)}✓ ${title}${every}`, ...conditions.map((one) => conditionLine(one, depth + 1, paint))];
  }
  const more = failed.length > 1 ? `; and ${failed.length - 1} more` : "";
  return [`${indent(depth)}✗ ${title}  ${paint.faint(`${first.field}  ${conditionText(first)}${more}`)}`];
}

function tokenLines(token: TokenExplanation, unused: readonly string[], paint: Paint): readonly string[] {
  const title = paint.strong("Token");
  switch (token.outcome) {
    case "notChecked":
      return [
        `${title}  not looked at: no RequestAuthentication applies to this workload`,
        ...otherLines("RequestAuthentications", unused, paint),
      ];
    case "notReached":
      return [`${title}  not looked at: the request was answered before`];
    case "preflight":
      return [`${title}  not looked at: a CORS preflight needs none`];
    case "none":
      return [`${title}  none; looked in ${token.lookedAt.join(", ")}`];
    case "missing":
      return [`${title}  ${paint.bad("none, and one is required")}; looked in ${token.lookedAt.join(", ")}`];
    case "verified": {
      const accepted = token.attempts.filter((attempt) => attempt.accepted);
      return [`${title}  ${paint.good("accepted")}`, ...accepted.flatMap((attempt) => attemptLines(attempt, paint))];
    }
    case "rejected": {
      // The failure that the client hears of comes first.
      const isHeard = ({ failure }: AttemptExplanation): number => Number(failure === token.failure);
      const attempts = token.attempts.toSorted((a, b) => isHeard(b) - isHeard(a));
      return [`${title}  ${paint.bad("refused")}`, ...attempts.flatMap((attempt) => attemptLines(attempt, paint))];
    }
  }
}

function attemptLines({ location, rule, accepted, failure, ...attempt }: AttemptExplanation, paint: Paint): string[] {
  const by = rule === null ? [] : [`RequestAuthentication ${rule.policy.namespace}/${rule.policy.name}`];
  const key = attempt.keyId === "" ? "a key without kid" : `key ${attempt.keyId}`;
  const how = accepted
    ? [...(rule === null || rule.issuer === "" ? [] : [`issuer ${rule.issuer}`]), `${key} (${attempt.alg})`]
    : [failure];
  const line = `${mark(accepted)} ${location}  ${[...by, ...how].join(", ")}`;
  const { compared } = attempt;
  return [
    `${indent(1)}${accepted ? line : paint.bad(line)}`,
    ...(compared === null ? [] : [`${indent(2)}${comparedText(compared)}`]),
  ];
}

function comparedText({ what, expected, actual }: NonNullable<AttemptExplanation["compared"]>): string {
  const must = expected.length === 0 ? "" : ` must be ${expected.join(" or ")},`;
  return `${what}${must} is ${actual === "" ? "missing" : actual}`;
}

function policyLines({ policies }: Answer, unused: readonly string[], paint: Paint): readonly string[] {
  const title = paint.strong("Policies");
  if (policies.length === 0) {
    const others = otherLines("AuthorizationPolicies", unused, paint);
    return [`${title}  no AuthorizationPolicy applies to this workload`, ...others];
  }
  if (policies.every(({ evaluated }) => !evaluated)) {
    return [`${title}  not asked, the request was answered before: ${shortList(policies.map(policyName))}`];
  }
  return [title, ...policies.flatMap((policy) => onePolicy(policy, paint))];
}

/** Where nothing applies, a slip in namespace or labels is the usual reason. */
function otherLines(kind: string, unused: readonly string[], paint: Paint): readonly string[] {
  return unused.length === 0 ? [] : [paint.faint(`${indent(1)}${kind} for other workloads: ${shortList(unused)}`)];
}

function onePolicy(policy: PolicyExplanation, paint: Paint): readonly string[] {
  const effect = effectOf(policy);
  const colour = effect.isGood === null ? (text: string) => text : effect.isGood ? paint.good : paint.bad;
  return [
    `${indent(1)}${mark(policy.matches)} ${policyName(policy)}  ${colour(effect.text)}`,
    ...(policy.unenforceable === "" ? rulesOf(policy, paint) : []),
  ];
}

function policyName({ action, policy, dryRun }: PolicyExplanation): string {
  return `${action} ${policy.namespace}/${policy.name}${dryRun ? " (dry-run)" : ""}`;
}

interface Effect {
  readonly text: string;
  /** For the client; null: neither. */
  readonly isGood: boolean | null;
}

function effectOf({ action, dryRun, evaluated, matches, rules, unenforceable, provider }: PolicyExplanation): Effect {
  if (!evaluated) return { text: "not asked, the request was answered before", isGood: null };
  if (unenforceable !== "") return { text: `denies, it can't be enforced as written: ${unenforceable}`, isGood: false };
  if (!matches) {
    if (rules.length > 0) return { text: "no rule matches", isGood: action === "ALLOW" && !dryRun ? false : null };
    return { text: `has no rule that could match${action === "ALLOW" ? ", so it allows nothing" : ""}`, isGood: null };
  }
  const { index } = rules.find((rule) => rule.matches) ?? { index: 0 };
  const effects: { readonly [Action in PolicyExplanation["action"]]: Effect } = {
    CUSTOM: {
      text: `rule ${index} matches: ${dryRun ? "would ask" : "asks"} provider ${provider?.name}`,
      isGood: null,
    },
    AUDIT: { text: `rule ${index} matches: recorded`, isGood: null },
    DENY: { text: `rule ${index} matches: ${dryRun ? "would deny" : "denies"}`, isGood: dryRun ? null : false },
    ALLOW: { text: `rule ${index} matches: ${dryRun ? "would allow" : "allows"}`, isGood: dryRun ? null : true },
  };
  return effects[action];
}

/** All rules that match, and as many of the others as can be taken in. */
function rulesOf({ rules }: PolicyExplanation, paint: Paint): readonly string[] {
  const missed = rules.filter(({ matches }) => !matches);
  const left = new Set(missed.slice(MAX_LISTED));
  const lines = rules.filter((rule) => !left.has(rule)).flatMap((rule) => ruleLines(rule, paint));
  return left.size === 0 ? lines : [...lines, `${indent(2)}${paint.faint(`✗ ${left.size} more rules`)}`];
}

function ruleLines(rule: RuleExplanation, paint: Paint): readonly string[] {
  const istioName = rule.decides ? `  ${paint.faint(rule.id)}` : "";
  return matchLines(`rule ${rule.index}${istioName}`, closestConditions(rule), 2, paint);
}

function routeLines(route: RouteExplanation, paint: Paint): readonly string[] {
  const title = paint.strong("Route");
  switch (route.outcome) {
    case "notAGateway":
      return [];
    case "notReached":
      return [`${title}  not looked for: the request was answered before`];
    case "unknownHost": {
      const known = route.knownHosts.length === 0 ? "none" : shortList(route.knownHosts);
      return [`${title}  ${paint.bad("no VirtualService has this host")}; hosts at this gateway and port: ${known}`];
    }
    case "httpsRedirect":
      return [`${title}  host ${route.host}: the Gateway sends plain requests to https`];
    case "noRoute":
      return [
        `${title}  host ${route.host}: ${paint.bad("no route matches")}`,
        ...route.candidates.flatMap((candidate) => candidateLines(candidate, paint)),
      ];
    case "chosen":
      return [
        `${title}  ${paint.good(route.chosen ?? "")}${route.destination === null ? "" : `, to ${route.destination}`}`,
        ...route.candidates.flatMap((candidate) => candidateLines(candidate, paint)),
      ];
  }
}

function candidateLines({ id, match, conditions }: RouteCandidate, paint: Paint): readonly string[] {
  return matchLines(match === null || match === 0 ? id : `${id}, match ${match}`, conditions, 1, paint);
}

/** Those of objects that play a part here; the others are counted. */
function problemLines({ problems, policies, token, workload }: Answer, paint: Paint): readonly string[] {
  const objects = [...policies.map(({ policy }) => policy), ...token.policies];
  const used = new Set(objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  const isRelevant = ({ object }: LoadProblem): boolean =>
    object === null || used.has(object) || (workload.isGateway && /^(VirtualService|Gateway) /.test(object));
  const relevant = problems.filter(isRelevant);
  const others = problems.length - relevant.length;
  if (problems.length === 0) return [];
  const title = paint.strong("Problems in the resources");
  if (relevant.length === 0) return [`${title}  ${others}, about objects for other workloads`];
  const lines = relevant.map(({ level, text }) => `${indent(1)}${level === "error" ? paint.bad(text) : text}`);
  const more = `${indent(1)}${paint.faint(`and ${others} about objects for other workloads`)}`;
  return [title, ...lines, ...(others > 0 ? [more] : [])];
}

const MAX_LISTED = 8;

function shortList(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function mark(isTrue: boolean): string {
  return isTrue ? "✓" : "✗";
}

function indent(depth: number): string {
  return "  ".repeat(depth);
}
