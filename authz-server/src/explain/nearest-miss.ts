import { closestConditions } from "./explain-rule.ts";
import type { NearestMiss, PolicyExplanation, RouteExplanation } from "./explanation.ts";

interface Miss extends NearestMiss {
  /** A rule about other paths, hosts or methods is no near miss, however few its conditions are. */
  readonly isAboutOther: boolean;
}

/** The ALLOW rule that came closest to matching. */
export function nearestAllowRule(policies: readonly PolicyExplanation[]): NearestMiss | null {
  const enforced = policies.filter(({ action, dryRun }) => action === "ALLOW" && !dryRun);
  return closest(
    enforced.flatMap(({ policy, rules }) =>
      rules.map(
        (rule): Miss => ({
          object: policy,
          part: `rule ${rule.index}`,
          conditions: closestConditions(rule),
          isAboutOther: rule.to.length > 0 && !rule.to.some(({ matches }) => matches),
        }),
      ),
    ),
  );
}

const ABOUT = /^(uri|method|scheme|authority)$/;

/** The route that came closest to matching. */
export function nearestRoute({ candidates }: RouteExplanation): NearestMiss | null {
  return closest(
    candidates.map(({ virtualService, id, route, conditions }): Miss => {
      const name = id.split("/").slice(2).join("/");
      return {
        object: virtualService,
        part: name === String(route) ? `route ${route}` : `route ${route} (${name})`,
        conditions,
        isAboutOther: conditions.some(({ field, holds }) => !holds && ABOUT.test(field)),
      };
    }),
  );
}

function closest(misses: readonly Miss[]): NearestMiss | null {
  const failures = ({ conditions }: Miss): number => conditions.filter(({ holds }) => !holds).length;
  const [best] = misses
    .filter((miss) => failures(miss) > 0)
    .toSorted((a, b) => Number(a.isAboutOther) - Number(b.isAboutOther) || failures(a) - failures(b));
  return best === undefined ? null : { object: best.object, part: best.part, conditions: best.conditions };
}
