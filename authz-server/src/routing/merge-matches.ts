import type { ClaimMatch, HttpMatch, Labels, StringMatch } from "@gatehouse/protos";

/**
 * The match entries of a delegate's route as its root narrows them: each of the root with each of the delegate.
 * @returns null when an entry of the delegate fits no entry of the root: the route is then dropped, as in Istio
 */
export function mergeMatches(root: readonly HttpMatch[], delegate: readonly HttpMatch[]): readonly HttpMatch[] | null {
  if (root.length === 0) return delegate;
  if (delegate.length === 0) return root;
  const merged: HttpMatch[] = [];
  for (const own of delegate) {
    const partners = root.filter((outer) => !isInConflict(outer, own));
    if (partners.length === 0) return null;
    merged.push(...partners.map((outer) => mergeMatch(outer, own)));
  }
  return merged;
}

function mergeMatch(root: HttpMatch, own: HttpMatch): HttpMatch {
  return {
    name: [root.name, own.name].filter((part) => part !== "").join("-"),
    uri: own.uri ?? root.uri,
    ignoreUriCase: own.ignoreUriCase,
    scheme: own.scheme ?? root.scheme,
    method: own.method ?? root.method,
    authority: own.authority ?? root.authority,
    headers: overridden(root.headers, own.headers, nameOf),
    claims: overridden(root.claims, own.claims, pathOf),
    // Both hold. Where one name occurs twice, the delegate's alone could let in what the root keeps out.
    withoutHeaders: [...root.withoutHeaders, ...own.withoutHeaders],
    withoutClaims: [...root.withoutClaims, ...own.withoutClaims],
    queryParams: overridden(root.queryParams, own.queryParams, nameOf),
    port: own.port === 0 ? root.port : own.port,
    gateways: own.gateways.length === 0 ? root.gateways : own.gateways,
    sourceLabels: overridden(root.sourceLabels, own.sourceLabels, nameOf),
    sourceNamespace: own.sourceNamespace || root.sourceNamespace,
  };
}

function isInConflict(root: HttpMatch, own: HttpMatch): boolean {
  return (
    (["uri", "scheme", "method", "authority"] as const).some((field) => conflicts(root[field], own[field])) ||
    anyConflicts(root.headers, own.headers, nameOf) ||
    anyConflicts(root.withoutHeaders, own.withoutHeaders, nameOf) ||
    anyConflicts(root.claims, own.claims, pathOf) ||
    anyConflicts(root.withoutClaims, own.withoutClaims, pathOf) ||
    anyConflicts(root.queryParams, own.queryParams, nameOf) ||
    root.ignoreUriCase !== own.ignoreUriCase ||
    areDifferent(root.port, own.port, 0) ||
    areDifferent(root.sourceNamespace, own.sourceNamespace, "") ||
    hasOtherLabel(root.sourceLabels, own.sourceLabels) ||
    (root.gateways.length > 0 && own.gateways.some((gateway) => !root.gateways.includes(gateway)))
  );
}

/** True unless what the delegate asks for is a part of what the root asks for. */
function conflicts(root: StringMatch | null | undefined, own: StringMatch | null | undefined): boolean {
  if (root == null || own == null) return false;
  if (root.kind === "exact" && own.kind === "exact") return root.value !== own.value;
  const isNarrowing = root.kind === "prefix" && (own.kind === "prefix" || own.kind === "exact");
  return !(isNarrowing && own.value.startsWith(root.value));
}

function anyConflicts<Entry extends { readonly match: StringMatch }>(
  root: readonly Entry[],
  own: readonly Entry[],
  keyOf: (entry: Entry) => string,
): boolean {
  return own.some((entry) =>
    root.some((outer) => keyOf(outer) === keyOf(entry) && conflicts(outer.match, entry.match)),
  );
}

function hasOtherLabel(root: Labels, own: Labels): boolean {
  return own.some(({ name, value }) => root.some((label) => label.name === name && label.value !== value));
}

function areDifferent<Value>(root: Value, own: Value, unset: Value): boolean {
  return root !== unset && own !== unset && root !== own;
}

/** Without conflict the delegate's entry asks for a part of the root's, and says it all. */
function overridden<Entry>(
  root: readonly Entry[],
  own: readonly Entry[],
  keyOf: (entry: Entry) => string,
): readonly Entry[] {
  const keys = new Set(own.map(keyOf));
  return [...root.filter((entry) => !keys.has(keyOf(entry))), ...own];
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function pathOf({ path }: ClaimMatch): string {
  return JSON.stringify(path);
}
