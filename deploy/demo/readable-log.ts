/**
 * Turns a JSON line of Gatehouse's log into one for people: time, level, message, then the other fields.
 * A line that is no JSON object is returned as it is.
 */
export function readableLine(line: string): string {
  const entry = parseObject(line);
  if (entry === undefined) return line;
  const { time, level, msg, ...fields } = entry;
  const details = Object.entries(fields).map(([name, value]) => `${name}=${text(value)}`);
  return [timeOfDay(time), text(level).padEnd(5), text(msg), ...details].join(" ").trimEnd();
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // not JSON: the caller shows it unchanged
  }
}

function timeOfDay(time: unknown): string {
  const date = new Date(typeof time === "string" || typeof time === "number" ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 23);
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(",");
  return value === undefined ? "" : JSON.stringify(value);
}
