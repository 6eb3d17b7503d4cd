/** A URI as people see it in logs and health: a query can hold an access key, and a user's name comes with a password. */
export function shownUri(uri: string): string {
  return uri === "" ? "(OpenID discovery)" : uri.replace(/[?#].*$/s, "").replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
