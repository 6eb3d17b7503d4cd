const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/**
 * Reads the header `grpc-timeout`: up to eight digits and a unit.
 * @returns milliseconds; undefined when it is none
 */
export function parseGrpcTimeout(text: string): number | undefined {
  const unitMs = UNIT_MS[text.slice(-1)];
  const digits = text.slice(0, -1);
  if (unitMs === undefined || !/^\d{1,8}$/.test(digits)) return undefined;
  return Number(digits) * unitMs;
}
