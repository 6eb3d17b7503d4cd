const MS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Reads a duration as Go writes it: `5s`, `1h30m`, `1.5s`, `-1s`, `0`. @returns milliseconds, perhaps with a fraction, or null */
export function parseDurationMs(text: string): number | null {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  if (
    !/^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$/.test(
      unsigned,
    )
  )
    return null;
  let totalMs = 0;
  for (const [, amount, unit] of unsigned.matchAll(/([0-9.]+)(ns|us|µs|ms|s|m|h)/g)) {
    totalMs += Number(amount) * (MS_PER_UNIT.get(unit ?? "") ?? 0);
  }
  return text.startsWith("-") ? -totalMs : totalMs;
}

/** Why a duration is not accepted, in Istio's words, or null. */
export function checkDuration(text: string): string | null {
  const durationMs = parseDurationMs(text);
  if (durationMs === null) return `time: invalid duration "${text}"`;
  if (durationMs < 1) return "duration must be greater than 1ms";
  // Sums of decimal fractions are off by less than a nanosecond.
  return Math.abs(durationMs - Math.round(durationMs)) > 1e-7 ? "only durations to ms precision are supported" : null;
}
