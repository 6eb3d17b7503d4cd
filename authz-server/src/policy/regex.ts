import { RE2JS } from "re2js";

/** Compiled expressions that some policy uses. Many routes have the same ones, and delegates are compiled with each of their roots. */
const compiled = new Map<string, WeakRef<RE2JS>>();

const unused = new FinalizationRegistry((pattern: string) => {
  if (compiled.get(pattern)?.deref() === undefined) compiled.delete(pattern);
});

/** Compiles an expression of RE2; equal ones are compiled once, as long as the first is in use. @throws RE2JSException */
export function toRegex(pattern: string): RE2JS {
  const known = compiled.get(pattern)?.deref();
  if (known !== undefined) return known;
  const regex = RE2JS.compile(pattern);
  compiled.set(pattern, new WeakRef(regex));
  unused.register(regex, pattern);
  return regex;
}
