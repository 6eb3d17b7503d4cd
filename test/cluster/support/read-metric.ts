/** Reads one metric without labels from a `/metrics` page. Throws when it is not there. */
export async function readMetric(url: string, name: string): Promise<number> {
  const page = await (await fetch(url)).text();
  const line = page.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${url} has no ${name}`);
  return Number(line.slice(name.length));
}
