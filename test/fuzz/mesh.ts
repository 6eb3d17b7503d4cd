import { parseMeshConfig } from "@gatehouse/controller/translate";
import type { MeshConfig } from "@gatehouse/protos";

/** All defaults. */
export const MESH: MeshConfig = parseMeshConfig("").meshConfig;
