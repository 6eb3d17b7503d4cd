/** Fetching of keys without the controller around it: for tests and tools. */
export { type AddressGuard, createAddressGuard, type GuardOptions } from "./address-guard.ts";
export { createKeyFetcher, type FetcherOptions, type FetchKeys, type FetchOutcome } from "./fetcher.ts";
export { KeyRefresher, type RefresherOptions } from "./refresher.ts";
export { afterAttempt, NEVER_FETCHED, type SourceState, toKeySet } from "./source-state.ts";
