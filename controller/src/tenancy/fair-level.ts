/**
 * The level to which the largest amounts have to be cut so that all together are within a total; the others keep what they have.
 * @returns infinity when nothing has to be cut
 */
export function fairLevel(amounts: readonly number[], total: number): number {
  let left = total;
  let others = amounts.length;
  for (const amount of amounts.toSorted((a, b) => a - b)) {
    if (amount * others > left) return Math.floor(left / others);
    left -= amount;
    others -= 1;
  }
  return Number.POSITIVE_INFINITY;
}
