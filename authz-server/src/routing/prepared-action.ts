import type { Destination, HttpRoute, PolicyRef } from "@gatehouse/protos";
import type { HeaderMutation, Respond } from "../decision.ts";
import { type HeaderLine, toByteString } from "../http-request.ts";
import { authorityIn, changeHeaders, type HeaderChanges, headerChanges } from "./header-operations.ts";
import { prepareRedirect, type Redirector } from "./redirect.ts";
import { DEFAULT_RETRIES, retryHeaders } from "./retries.ts";

/** What a route does, ready to be done. */
export type PreparedAction =
  | { readonly kind: "redirect"; readonly redirect: Redirector }
  | { readonly kind: "respond"; readonly response: Respond }
  | {
      readonly kind: "forward";
      readonly destinations: readonly PreparedDestination[];
      readonly totalWeight: number;
      /** With routes of the user's own. */
      readonly headerMode: Forward;
    };

/** One destination: what every request that goes there gets. */
export interface PreparedDestination {
  readonly weight: number;
  readonly forward: Forward;
  /** Replaces the request's host; null: kept. */
  readonly authority: string | null;
  /** What becomes of the headers of an answer that is given in the upstream's stead. */
  readonly responseChanges: HeaderChanges;
}

/** The request goes on, changed as the route says. */
export interface Forward {
  readonly kind: "forward";
  readonly setHeaders: readonly HeaderLine[];
  readonly removeHeaders: readonly string[];
  readonly responseHeaders: readonly HeaderMutation[];
  /** `:path` of the route's rewrite, with query; null: not rewritten. */
  readonly path: string | null;
}

export const ROUTE_HEADER = "x-gatehouse-route";
export const CLUSTER_HEADER = "x-gatehouse-cluster";
/** Request headers to which the Lua filter of deploy/envoy adds a line each, `name=value&...`, percent-encoded. */
const REQUEST_ADD_HEADER = "x-gatehouse-request-add";
/** Names, joined by commas, of response headers that the same filter takes away. */
const RESPONSE_REMOVE_HEADER = "x-gatehouse-response-remove";

/** The request goes on as it is. */
export const UNCHANGED: Forward = {
  kind: "forward",
  setHeaders: [],
  removeHeaders: [],
  responseHeaders: [],
  path: null,
};

/** Prepares what a route does with the requests that it wins. @param id value of x-gatehouse-route */
export function prepareAction(route: HttpRoute, id: string, ref: PolicyRef): PreparedAction {
  const { action } = route;
  switch (action.kind) {
    case "redirect": {
      const changes = headerChanges([[route.responseHeaders]]);
      return { kind: "redirect", redirect: prepareRedirect(action, changes, ref) };
    }
    case "directResponse": {
      const { status, body } = action;
      const plain = body === "" ? [] : [{ name: "content-type", value: "text/plain" }];
      const headers = changeHeaders(plain, headerChanges([[route.responseHeaders]]));
      return { kind: "respond", response: { kind: "respond", status, headers, body, reason: "route_response", ref } };
    }
    case "delegate":
      // Delegates are put in place when routes are gathered; one that is left has no routes to offer.
      return { kind: "respond", response: noRoute(ref) };
    case "route":
      return prepareDestinations(route, action.destinations, id);
  }
}

/** Istio's answer where no route fits. */
export function noRoute(ref: PolicyRef | null): Respond {
  return { kind: "respond", status: 404, headers: [], body: "", reason: "no_route", ref };
}

function prepareDestinations(route: HttpRoute, destinations: readonly Destination[], id: string): PreparedAction {
  return {
    kind: "forward",
    destinations: destinations.map((destination) =>
      prepareDestination(route, destination, id, destinations.length > 1),
    ),
    totalWeight: destinations.reduce((sum, { weight }) => sum + weight, 0),
    headerMode: { ...UNCHANGED, setHeaders: [set(ROUTE_HEADER, id)] },
  };
}

function prepareDestination(
  route: HttpRoute,
  destination: Destination,
  id: string,
  isOneOfSeveral: boolean,
): PreparedDestination {
  const request = changesOf(route.requestHeaders, destination.requestHeaders, isOneOfSeveral);
  const response = changesOf(route.responseHeaders, destination.responseHeaders, isOneOfSeveral);
  const forFilter = filterHeaders(request, response);
  // Envoy's route with that filter is the one for explicit retries.
  const retries = route.retries ?? (forFilter.length > 0 ? DEFAULT_RETRIES : null);
  const { timeoutMs } = route;
  return {
    weight: destination.weight,
    authority:
      toByteString(route.rewrite?.authority ?? "") ||
      (authorityIn(route.requestHeaders) ?? authorityIn(destination.requestHeaders)),
    responseChanges: response,
    forward: {
      kind: "forward",
      setHeaders: [
        set(CLUSTER_HEADER, clusterOf(destination)),
        set(ROUTE_HEADER, id),
        ...(timeoutMs === null ? [] : [set("x-envoy-upstream-rq-timeout-ms", String(timeoutMs))]),
        ...(retries === null ? [] : retryHeaders(retries)),
        ...forFilter,
        ...request.set.filter(({ append }) => !append),
      ],
      removeHeaders: request.remove,
      responseHeaders: response.set,
      path: null,
    },
  };
}

/** ext_authz can neither add a line of a request header that is there already, nor remove a header of the response. */
function filterHeaders(request: HeaderChanges, response: HeaderChanges): readonly HeaderLine[] {
  const added = request.set.filter(({ append }) => append);
  const pairs = added.map(({ name, value }) => `${percentEncoded(name)}=${percentEncoded(value)}`);
  return [
    ...(pairs.length === 0 ? [] : [set(REQUEST_ADD_HEADER, pairs.join("&"))]),
    ...(response.remove.length === 0 ? [] : [set(RESPONSE_REMOVE_HEADER, response.remove.join(","))]),
  ];
}

/** @param bytes one character a byte */
function percentEncoded(bytes: string): string {
  return bytes.replace(/[^A-Za-z0-9_.-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Istio puts the operations of an only destination behind the route's; Envoy applies those of one of several before the route's. */
function changesOf(
  ofRoute: HttpRoute["requestHeaders"],
  ofDestination: HttpRoute["requestHeaders"],
  isOneOfSeveral: boolean,
): HeaderChanges {
  return headerChanges(isOneOfSeveral ? [[ofDestination], [ofRoute]] : [[ofRoute, ofDestination]]);
}

/** `host[:port][/subset]` */
function clusterOf({ host, port, subset }: Destination): string {
  return `${host}${port === 0 ? "" : `:${port}`}${subset === "" ? "" : `/${subset}`}`;
}

function set(name: string, value: string): HeaderLine {
  return { name, value: toByteString(value) };
}
