/** A moment in the form of Kubernetes' MicroTime. @param wallMs since the epoch */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace("Z", "000Z");
}
