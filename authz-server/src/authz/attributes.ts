import type { Claims } from "../authn/claims.ts";
import type { HeaderLine, HttpRequest } from "../http-request.ts";

/** A request as rules and routes see it: after authentication, as the upstream will get it. */
export interface RequestAttributes {
  /** As received. */
  readonly request: HttpRequest;
  /** Without query, as normalised: the form that is authorized and forwarded. */
  readonly path: string;
  /** With its `?`, or empty; without tokens that are not forwarded. */
  readonly query: string;
  /** Without reserved headers and tokens that are not forwarded, with the headers made from claims. */
  readonly headers: readonly HeaderLine[];
  /** Names that were taken out of `headers`. */
  readonly removedHeaders: readonly string[];
  /** The headers made from claims. */
  readonly addedHeaders: readonly HeaderLine[];
  /** null without a verified token. */
  readonly claims: Claims | null;
  /** The client after x-forwarded-for. */
  readonly remoteAddress: string;
}
