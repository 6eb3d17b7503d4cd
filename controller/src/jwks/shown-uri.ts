/** A URI as people see it in logs and health: a query can hold an access key. */
export function shownUri(uri: string): string {
  return uri === "" ? "(OpenID discovery)" : uri.replace(/[?#].*$/s, "");
}
