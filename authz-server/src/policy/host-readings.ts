/**
 * The forms in which an upstream might read a host: as it is, without its port, without the dot that may end a name, without both.
 * @param host lower case
 */
export function hostReadings(host: string): readonly string[] {
  const [, name = host, port = ""] = /^(.*?)(:\d*)?$/s.exec(host) ?? [];
  const isAddress = name.startsWith("[") && !name.endsWith("]");
  if (isAddress) return [host];
  const bare = withoutDots(name);
  return [...new Set([host, name, bare, bare + port])];
}

/** Linear in the host's length, which is the client's choice. */
function withoutDots(name: string): string {
  let end = name.length;
  while (end > 0 && name.charAt(end - 1) === ".") end--;
  return name.slice(0, end);
}
