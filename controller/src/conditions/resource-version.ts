/**
 * Whether one resourceVersion is at or past another of the same kind of object. Kubernetes makes them whole numbers that grow
 * (KEP-5504); what is no such number is never past anything.
 */
export function isAtOrPast(version: string, other: string): boolean {
  return isNumber(version) && isNumber(other) && compareVersions(version, other) >= 0;
}

/** Orders whole numbers of any length. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isNumber(version: string): boolean {
  return /^(0|[1-9]\d{0,30})$/.test(version);
}
