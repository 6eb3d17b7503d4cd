/** Objects to policy resources: pure, one object at a time. */
export type { ConfigError } from "../config-reader.ts";
export { type MeshSettings, type ParsedMeshConfig, parseMeshConfig } from "../mesh-config.ts";
export type { TranslateContext } from "./context.ts";
export { translateInvalid } from "./invalid-object.ts";
export { type Diagnostic, formatDiagnostic, type KeySource, type Report, type Translated } from "./report.ts";
export { translateObject } from "./translate.ts";
