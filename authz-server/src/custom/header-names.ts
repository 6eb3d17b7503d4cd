/** Whether a header, by its name in lower case, is meant. */
export type HeaderNameTest = (name: string) => boolean;

/** One test for a list of names as MeshConfig writes them: exact, `prefix*` or `*suffix`, in lower case. An empty list means none. */
export function compileHeaderNames(patterns: readonly string[]): HeaderNameTest {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const prefixes = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  const suffixes = patterns
    .filter((pattern) => pattern.startsWith("*") && !pattern.endsWith("*"))
    .map((pattern) => pattern.slice(1));
  return (name) =>
    exact.has(name) ||
    prefixes.some((prefix) => name.startsWith(prefix)) ||
    suffixes.some((suffix) => name.endsWith(suffix));
}
