/**
 * Resolves a reference to a Gateway: `namespace/name`, `./name`, `name` in the namespace of the object, the old `name.namespace.svc...`;
 * `mesh` stays what it is.
 */
export function resolveGateway(reference: string, namespace: string): string {
  if (reference === "mesh") return reference;
  if (reference.startsWith("./")) return `${namespace}/${reference.slice(2)}`;
  if (reference.includes("/")) return reference;
  const [name = "", ofNamespace] = reference.split(".");
  return `${ofNamespace ?? namespace}/${name}`;
}
