import type { VirtualService } from "../model/routing.ts";
import type {
  VirtualService as Wire,
  VirtualService__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/VirtualService.ts";
import { readRoute, writeRoute } from "./http-route.ts";
import { readMeta, writeMeta } from "./object.ts";
import { readList } from "./shape.ts";

/** Writes a VirtualService. */
export function writeVirtualService(model: VirtualService): Wire {
  return {
    meta: writeMeta(model.meta),
    hosts: [...model.hosts],
    gateways: [...model.gateways],
    exportTo: [...model.exportTo],
    http: model.http.map(writeRoute),
    keepsHosts: model.keepsHosts,
    refusedHosts: model.refusedHosts.map(({ gateway, host }) => ({ gateway, host })),
  };
}

/** Reads a VirtualService. */
export function readVirtualService(wire: WireOutput, minReaderVersion: number, path: string): VirtualService {
  return {
    kind: "VirtualService",
    meta: readMeta(wire.meta, minReaderVersion, `${path}.meta`),
    hosts: wire.hosts,
    gateways: wire.gateways,
    exportTo: wire.exportTo,
    http: readList(wire.http, `${path}.http`, readRoute),
    keepsHosts: wire.keepsHosts,
    refusedHosts: wire.refusedHosts.map(({ gateway, host }) => ({ gateway, host })),
  };
}
