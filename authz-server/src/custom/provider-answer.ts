import type { ExtensionProvider } from "@gatehouse/protos";
import type { HeaderMutation } from "../decision.ts";
import type { HeaderLine, HttpRequest } from "../http-request.ts";

/**
 * Asks a provider about a request. Never rejects.
 * @param request as earlier providers left it; without headers that a client must not choose
 * @param signal fires when nobody waits for the answer any more
 */
export type AskProvider = (
  provider: ExtensionProvider,
  request: HttpRequest,
  signal?: AbortSignal,
) => Promise<ProviderAnswer>;

/** What a provider said, checked: nothing in it can harm what comes after. Texts are byte strings. */
export type ProviderAnswer = ProviderAllow | ProviderDenial | ProviderFailure | ProviderRefusal;

/** The request may go on, changed. */
export interface ProviderAllow {
  readonly kind: "allow";
  /** In the order in which they are made. */
  readonly changes: readonly RequestChange[];
  readonly responseHeaders: readonly HeaderMutation[];
  /** The encoded google.protobuf.Struct of the dynamic metadata; null for none. */
  readonly metadata: Uint8Array | null;
}

/** The request is answered with this. */
export interface ProviderDenial {
  readonly kind: "deny";
  /** 200-599; 0 in the answer of a failure leaves it to `statusOnError`. */
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  /** A text, not a byte string. */
  readonly body: string;
}

/** The provider could not be asked, or says so itself: the provider's failure mode decides. */
export interface ProviderFailure {
  readonly kind: "failed";
  /** For people; holds nothing of the request. */
  readonly message: string;
  /** What the provider wants the client to get, where it fails closed; null: `statusOnError`. */
  readonly answer: ProviderDenial | null;
}

/** The request can't be put to the provider, or its answer can't be used: denied in every failure mode. */
export interface ProviderRefusal {
  readonly kind: "refused";
  /** For people; holds nothing of the request. */
  readonly message: string;
  readonly status: number;
}

/** One change of the request. */
export type RequestChange =
  | { readonly kind: "header"; readonly how: HeaderChange; readonly name: string; readonly value: string }
  | { readonly kind: "removeHeader"; readonly name: string }
  | { readonly kind: "setParam"; readonly name: string; readonly value: string }
  | { readonly kind: "removeParam"; readonly name: string };

/** `append` only where the header is there already, `add` in any case. */
export type HeaderChange = "set" | "add" | "addIfAbsent" | "setIfPresent" | "append";
