import type { Destination, RouteAction } from "../model/routing.ts";
import { enumCodec } from "./enum-codec.ts";
import type {
  Destination as WireDestination,
  Destination__Output as WireDestinationOutput,
} from "./gen/gatehouse/policy/v1/Destination.ts";
import type { HttpRoute as Wire, HttpRoute__Output as WireOutput } from "./gen/gatehouse/policy/v1/HttpRoute.ts";
import type {
  Redirect as WireRedirect,
  Redirect__Output as WireRedirectOutput,
} from "./gen/gatehouse/policy/v1/Redirect.ts";
import { readHeaderOperations, writeHeaderOperations } from "./header-operations.ts";
import { uint32 } from "./numbers.ts";
import { onlyCase, readList, required } from "./shape.ts";

type RedirectAction = Extract<RouteAction, { kind: "redirect" }>;

const derivePort = enumCodec({
  FROM_PROTOCOL_DEFAULT: "DERIVE_PORT_FROM_PROTOCOL_DEFAULT",
  FROM_REQUEST_PORT: "DERIVE_PORT_FROM_REQUEST_PORT",
} as const);

/** Writes what happens to a request, as one field of the route. */
export function writeAction(action: RouteAction): Pick<Wire, RouteAction["kind"]> {
  switch (action.kind) {
    case "route":
      return { route: { destinations: action.destinations.map(writeDestination) } };
    case "redirect":
      return { redirect: writeRedirect(action) };
    case "directResponse":
      return { directResponse: { status: uint32(action.status, "http.directResponse.status"), body: action.body } };
    case "delegate":
      return { delegate: { namespace: action.namespace, name: action.name } };
  }
}

/** Reads what happens to a request. @param path of the route */
export function readAction(wire: WireOutput, path: string): RouteAction {
  const kind = onlyCase(wire, ["route", "redirect", "directResponse", "delegate"], path);
  switch (kind) {
    case "route": {
      const { destinations } = required(wire.route, path);
      return { kind, destinations: readList(destinations, `${path}.destinations`, readDestination) };
    }
    case "redirect":
      return readRedirect(required(wire.redirect, path), `${path}.redirect`);
    case "directResponse": {
      const { status, body } = required(wire.directResponse, path);
      return { kind, status, body };
    }
    case "delegate": {
      const { namespace, name } = required(wire.delegate, path);
      return { kind, namespace, name };
    }
  }
}

function writeDestination(destination: Destination): WireDestination {
  return {
    host: destination.host,
    port: uint32(destination.port, "http.route.port"),
    subset: destination.subset,
    weight: uint32(destination.weight, "http.route.weight"),
    requestHeaders: writeHeaderOperations(destination.requestHeaders),
    responseHeaders: writeHeaderOperations(destination.responseHeaders),
  };
}

function readDestination(wire: WireDestinationOutput, path: string): Destination {
  const { host, port, subset, weight } = wire;
  return {
    host,
    port,
    subset,
    weight,
    requestHeaders: readHeaderOperations(wire.requestHeaders, `${path}.requestHeaders`),
    responseHeaders: readHeaderOperations(wire.responseHeaders, `${path}.responseHeaders`),
  };
}

function writeRedirect(redirect: RedirectAction): WireRedirect {
  return {
    uri: redirect.uri,
    authority: redirect.authority,
    scheme: redirect.scheme,
    ...(redirect.port === null ? {} : { port: uint32(redirect.port, "http.redirect.port") }),
    derivePort: derivePort.encode(redirect.derivePort),
    code: uint32(redirect.code, "http.redirect.code"),
  };
}

function readRedirect(wire: WireRedirectOutput, path: string): RedirectAction {
  const { uri, authority, scheme, code } = wire;
  return {
    kind: "redirect",
    uri,
    authority,
    scheme,
    port: wire.port ?? null,
    derivePort: derivePort.decode(wire.derivePort, `${path}.derivePort`),
    code,
  };
}
