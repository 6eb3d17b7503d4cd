import type { AuthorizationMatch, RequestPrincipalMatch } from "@gatehouse/protos";

const PRESENT: AuthorizationMatch = { kind: "present" };

/**
 * Reads a value of `requestPrincipals`. It is split at its last `/` into issuer and subject, which are compared apart; the star
 * is looked for at the ends of the whole value, so `https://accounts*` means issuer `https:/` and subject `accounts*`.
 */
export function toRequestPrincipalMatch(text: string): RequestPrincipalMatch {
  if (text === "*") return { issuer: PRESENT, subject: PRESENT };
  const slash = text.lastIndexOf("/");
  if (slash < 0) return withoutSubject(text);
  const issuer = text.slice(0, slash);
  const subject = text.slice(slash + 1);
  if (text.startsWith("*")) return { issuer: suffix(issuer), subject: { kind: "exact", value: subject } };
  return { issuer: { kind: "exact", value: issuer }, subject: text.endsWith("*") ? prefix(subject) : exact(subject) };
}

function withoutSubject(text: string): RequestPrincipalMatch {
  if (text.startsWith("*")) return { issuer: PRESENT, subject: suffix(text) };
  if (text.endsWith("*")) return { issuer: prefix(text), subject: PRESENT };
  return { issuer: exact(text), subject: exact("") };
}

function exact(value: string): AuthorizationMatch {
  return { kind: "exact", value };
}

/** @param starred starts with the star */
function suffix(starred: string): AuthorizationMatch {
  return starred === "*" ? PRESENT : { kind: "suffix", value: starred.slice(1) };
}

/** @param starred ends with the star */
function prefix(starred: string): AuthorizationMatch {
  return starred === "*" ? PRESENT : { kind: "prefix", value: starred.slice(0, -1) };
}
