import type { HttpMatch, HttpRoute, VirtualService } from "@gatehouse/protos";

/** What a route is found by; two with the same signature are found by the same requests. */
export interface RouteSignatures {
  /** Position in `spec.http`. */
  readonly index: number;
  /** One for each entry of `match`; of a route without any, one. */
  readonly signatures: readonly string[];
  /** Its requests go to a route of another object, or to none: what is behind it in line may still have its turn. */
  readonly isDelegating: boolean;
  /** Takes every request, at some port at least: what follows in the same object may never be offered. */
  readonly isCatchAll: boolean;
}

/** @param hash SHA-256 in hex: matches can be long, and there are many */
export function signaturesOf({ http }: VirtualService, hash: (text: string) => string): readonly RouteSignatures[] {
  return http.map((route) => ({
    index: route.index,
    signatures: matchesOf(route).map((match) => hash(match).slice(0, SIGNATURE_LENGTH)),
    isDelegating: route.action.kind === "delegate",
    isCatchAll: route.match.length === 0 || route.match.some(isCatchAll),
  }));
}

const SIGNATURE_LENGTH = 24;

function matchesOf({ match }: HttpRoute): readonly string[] {
  return match.length === 0 ? [""] : match.map(toText);
}

function toText(match: HttpMatch): string {
  return JSON.stringify({ ...match, name: "" });
}

function isCatchAll({ uri, scheme, method, authority, ...lists }: HttpMatch): boolean {
  if (scheme !== null || method !== null || authority !== null) return false;
  const { headers, withoutHeaders, claims, withoutClaims, queryParams } = lists;
  if ([headers, withoutHeaders, claims, withoutClaims, queryParams].some(({ length }) => length > 0)) return false;
  return uri === null || (uri.kind === "prefix" && uri.value === "/") || (uri.kind === "regex" && uri.value === ".*");
}
