import type { ExtensionProvider, MeshConfig, PathNormalization } from "@gatehouse/protos";
import { parse } from "yaml";
import { type ConfigError, type ConfigReader, readConfigTree } from "./config-reader.ts";
import { readExtensionProvider } from "./extension-provider.ts";

/** The settings of Gatehouse that Istio's MeshConfig does not have; each may be left out. */
export type MeshSettings = Partial<
  Pick<MeshConfig, "dnsSuffix" | "strictPaths" | "keysUnavailable" | "routing" | "unmatchedHosts" | "requireExp">
>;

/** A MeshConfig file, as resources. With errors, the fields concerned have their defaults: do not start with it. */
export interface ParsedMeshConfig {
  readonly meshConfig: MeshConfig;
  readonly providers: readonly ExtensionProvider[];
  /** Paths of fields that are in the file but have no effect here. */
  readonly unused: readonly string[];
  readonly errors: readonly ConfigError[];
}

/**
 * Reads a MeshConfig in Istio's form (YAML or JSON). Defaults are Istio's; an empty text is all defaults.
 * @see https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
 */
export function parseMeshConfig(text: string, settings: MeshSettings = {}): ParsedMeshConfig {
  const document = parseYaml(text);
  const tree = readConfigTree(document.value);
  const meshConfig = readMeshConfig(tree.root, settings);
  const providers = readProviders(tree.root);
  return { meshConfig, providers, unused: tree.unread(), errors: [...document.errors, ...tree.errors] };
}

function parseYaml(text: string): { readonly value: unknown; readonly errors: readonly ConfigError[] } {
  try {
    return { value: parse(text), errors: [] };
  } catch (error) {
    return { value: null, errors: [{ path: "", message: error instanceof Error ? error.message : "not YAML" }] };
  }
}

const NORMALIZATIONS = ["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

function readMeshConfig(root: ConfigReader, settings: MeshSettings): MeshConfig {
  const normalization = root.object("pathNormalization").choice("normalization", NORMALIZATIONS, "DEFAULT");
  const topology = root.object("defaultConfig").object("gatewayTopology");
  const routing = settings.routing ?? "cluster";
  const requireExp = settings.requireExp ?? false;
  return {
    kind: "MeshConfig",
    // Readers of version 1 do not know `requireExp`: they must refuse it, not overlook it.
    minReaderVersion: requireExp ? 2 : 1,
    rootNamespace: nonEmpty(root, "rootNamespace", "istio-system"),
    trustDomain: nonEmpty(root, "trustDomain", "cluster.local"),
    trustDomainAliases: root.texts("trustDomainAliases"),
    dnsSuffix: settings.dnsSuffix ?? "svc.cluster.local",
    pathNormalization: normalization === "DEFAULT" ? "BASE" : (normalization satisfies PathNormalization),
    numTrustedProxies: topology.integer("numTrustedProxies", 0, 0, 1000),
    strictPaths: settings.strictPaths ?? false,
    keysUnavailable: settings.keysUnavailable ?? 401,
    routing,
    // With the user's own routes, a host that no VirtualService knows is theirs.
    unmatchedHosts: settings.unmatchedHosts ?? (routing === "cluster" ? "notFound" : "passthrough"),
    requireExp,
  };
}

function nonEmpty(root: ConfigReader, name: string, fallback: string): string {
  const value = root.text(name, fallback);
  if (value === "") root.fail(name, "must not be empty");
  return value;
}

function readProviders(root: ConfigReader): readonly ExtensionProvider[] {
  const providers = new Map<string, ExtensionProvider>();
  for (const entry of root.objects("extensionProviders")) {
    const provider = readExtensionProvider(entry);
    if (provider === null) continue;
    if (providers.has(provider.name)) entry.fail("name", `extension provider ${provider.name} is there twice`);
    providers.set(provider.name, provider);
  }
  return [...providers.values()];
}
