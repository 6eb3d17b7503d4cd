import { DEFAULT_MESH_CONFIG, type MeshConfig } from "@gatehouse/protos";

/** Istio's defaults, unless the fields say otherwise. */
export function meshConfig(fields: Partial<MeshConfig> = {}): MeshConfig {
  return { ...DEFAULT_MESH_CONFIG, ...fields };
}
