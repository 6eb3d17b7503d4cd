import type { HttpRoute, VirtualService } from "@gatehouse/protos";
import { mergeMatches } from "./merge-matches.ts";
import { type LabelledRoute, labelOf, type PreparedVirtualService, prepareRoutes } from "./prepared-route.ts";

/**
 * Puts the routes of delegates where other VirtualServices name them. A delegate has no hosts; one that is missing, or not exported to
 * the namespace of the root, takes only that root route away. Delegates of delegates don't count.
 * @param all in any order, which is kept
 */
export function inlineDelegates(all: readonly PreparedVirtualService[]): readonly PreparedVirtualService[] {
  const delegates = new Map<string, PreparedVirtualService>();
  for (const virtualService of all) {
    const { hosts, meta } = virtualService.source;
    if (hosts.length === 0) delegates.set(`${meta.namespace}/${meta.name}`, virtualService);
  }
  return all
    .filter(({ source }) => source.hosts.length > 0)
    .map((root) => (root.source.http.some(isDelegating) ? inlined(root, delegates) : root));
}

function isDelegating({ action }: HttpRoute): boolean {
  return action.kind === "delegate";
}

/** What a root was made into last, so that a change elsewhere does not compile it again. */
const remembered = new WeakMap<PreparedVirtualService, Remembered>();

interface Remembered {
  readonly delegates: readonly (PreparedVirtualService | null)[];
  readonly result: PreparedVirtualService;
}

function inlined(
  root: PreparedVirtualService,
  delegates: ReadonlyMap<string, PreparedVirtualService>,
): PreparedVirtualService {
  const { source } = root;
  const used = source.http.map((route) => delegateOf(route, source, delegates));
  const before = remembered.get(root);
  if (before?.delegates.every((delegate, at) => delegate === used[at])) return before.result;
  const routes = source.http.flatMap((route, at) =>
    isDelegating(route) ? routesOf(route, used[at] ?? null) : [{ route, label: labelOf(route) }],
  );
  const keepsHosts = root.keepsHosts || used.some((delegate) => delegate?.keepsHosts === true);
  const result = prepareRoutes(source, source.meta.unenforceable === "" ? routes : [], keepsHosts);
  remembered.set(root, { delegates: used, result });
  return result;
}

function delegateOf(
  { action }: HttpRoute,
  root: VirtualService,
  delegates: ReadonlyMap<string, PreparedVirtualService>,
): PreparedVirtualService | null {
  if (action.kind !== "delegate") return null;
  const delegate = delegates.get(`${action.namespace}/${action.name}`);
  return delegate !== undefined && isVisibleTo(root.meta.namespace, delegate.source) ? delegate : null;
}

function isVisibleTo(namespace: string, { exportTo, meta }: VirtualService): boolean {
  if (exportTo.length === 0 || exportTo.includes("*") || exportTo.includes(namespace)) return true;
  return exportTo.includes(".") && meta.namespace === namespace;
}

function routesOf(root: HttpRoute, delegate: PreparedVirtualService | null): readonly LabelledRoute[] {
  if (delegate === null || delegate.source.meta.unenforceable !== "") return [];
  return delegate.source.http.flatMap((route) => {
    const match = isDelegating(route) ? null : mergeMatches(root.match, route.match);
    return match === null ? [] : [merged(root, route, match)];
  });
}

/** What the delegate leaves open, the root decides. */
function merged(root: HttpRoute, own: HttpRoute, match: HttpRoute["match"]): LabelledRoute {
  const headers = hasHeaderOperations(own) ? own : root;
  const name = [root.name, own.name].filter((part) => part !== "").join("-");
  const route: HttpRoute = {
    ...own,
    index: root.index,
    name,
    match,
    requestHeaders: headers.requestHeaders,
    responseHeaders: headers.responseHeaders,
    rewrite: own.rewrite ?? root.rewrite,
    timeoutMs: own.timeoutMs ?? root.timeoutMs,
    retries: own.retries ?? root.retries,
    fault: own.fault ?? root.fault,
    cors: own.cors ?? root.cors,
  };
  return { route, label: name === "" ? `${root.index}-${own.index}` : name };
}

function hasHeaderOperations({ requestHeaders, responseHeaders }: HttpRoute): boolean {
  return [requestHeaders, responseHeaders].some(({ set, add, remove }) => set.length + add.length + remove.length > 0);
}
