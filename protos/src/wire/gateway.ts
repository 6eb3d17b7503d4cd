import type { Gateway, GatewayServer } from "../model/routing.ts";
import type { Gateway as Wire, Gateway__Output as WireOutput } from "./gen/gatehouse/policy/v1/Gateway.ts";
import type {
  GatewayServer as WireServer,
  GatewayServer__Output as WireServerOutput,
} from "./gen/gatehouse/policy/v1/GatewayServer.ts";
import { uint32 } from "./numbers.ts";
import { readLabels, readMeta, writeLabels, writeMeta } from "./object.ts";

/** Writes a Gateway. */
export function writeGateway(model: Gateway): Wire {
  return {
    meta: writeMeta(model.meta),
    selector: writeLabels(model.selector),
    servers: model.servers.map(writeServer),
  };
}

/** Reads a Gateway. */
export function readGateway(wire: WireOutput, minReaderVersion: number, path: string): Gateway {
  return {
    kind: "Gateway",
    meta: readMeta(wire.meta, minReaderVersion, `${path}.meta`),
    selector: readLabels(wire.selector),
    servers: wire.servers.map(readServer),
  };
}

function writeServer(server: GatewayServer): WireServer {
  return {
    port: uint32(server.port, "servers.port"),
    protocol: server.protocol,
    hosts: [...server.hosts],
    httpsRedirect: server.httpsRedirect,
  };
}

function readServer({ port, protocol, hosts, httpsRedirect }: WireServerOutput): GatewayServer {
  return { port, protocol, hosts, httpsRedirect };
}
