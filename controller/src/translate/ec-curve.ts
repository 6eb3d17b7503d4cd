/** A curve that JWS signs with. */
export type CurveName = "P-256" | "P-384" | "P-521";

/** The bytes of one coordinate. */
export function coordinateBytes(curve: CurveName): number {
  return { "P-256": 32, "P-384": 48, "P-521": 66 }[curve];
}

/**
 * True when (x, y) is a point of the curve, y² = x³ - 3x + b (mod p).
 * A point off the curve would make the authz-server's import of the whole key set fail.
 * @param x big-endian
 */
export function isOnCurve(curve: CurveName, x: readonly number[], y: readonly number[]): boolean {
  const { p, b } = CURVES[curve];
  const [px, py] = [toInteger(x), toInteger(y)];
  if (px >= p || py >= p) return false;
  return (py * py - (px * px * px - 3n * px + b)) % p === 0n;
}

function toInteger(bytes: readonly number[]): bigint {
  return BigInt(`0x0${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

/** FIPS 186-4, appendix D.1.2 */
const CURVES: Readonly<Record<CurveName, { readonly p: bigint; readonly b: bigint }>> = {
  "P-256": {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  "P-521": {
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};
