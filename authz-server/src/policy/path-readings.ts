/**
 * The forms in which an upstream might read a path that it decodes or simplifies further: as it is, without matrix parameters, with
 * escaped slashes decoded, with slashes merged. `strictPaths` judges all of them.
 */
export function pathReadings(path: string): readonly string[] {
  const readings = new Set([path]);
  for (const read of READERS) for (const reading of [...readings]) readings.add(read(reading));
  return [...readings];
}

const READERS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/;[^/]*/g, ""),
  (path) => path.replace(/%2f/gi, "/").replace(/%5c/gi, "/"),
  (path) => path.replace(/\/{2,}/g, "/"),
];
