import { type LookupAddress, type LookupAllOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { getCACertificates } from "node:tls";
import { Client, type Dispatcher, ProxyAgent } from "undici";
import type { AddressGuard } from "./address-guard.ts";
import { KeyFetchError } from "./fetch-failure.ts";

/** Finds all addresses of a name. */
export type ResolveName = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** How servers of keys are reached. */
export interface ConnectionOptions {
  readonly guard: AddressGuard;
  /** PEM certificates that are trusted besides the system's; empty: none. */
  readonly extraCa: string;
  /** Forward proxy, e.g. `http://proxy.example:3128`; null: none. The environment's proxy variables are never read. */
  readonly proxy: string | null;
  /** Resolves names. Default: the system's resolver. */
  readonly lookup?: ResolveName;
}

/** A connection for one request; `destroy` it afterwards. */
export type OpenConnection = (origin: string) => Dispatcher;

/** Keys are small; a server that sends long headers is not one of keys. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Makes connections whose peer was checked: a name is resolved once, each address that it has is checked, and the connection goes to one
 * of exactly those. Certificates are always verified. Through a proxy names are resolved there, so that only their text can be checked.
 */
export function createConnections({ guard, extraCa, proxy, ...rest }: ConnectionOptions): OpenConnection {
  const tls = {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(extraCa === "" ? {} : { ca: [...getCACertificates("default"), extraCa] }),
  } as const;
  const common = { pipelining: 0, allowH2: false, maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: 0, bodyTimeout: 0 };
  if (proxy !== null) return () => new ProxyAgent({ ...common, uri: proxy, requestTls: tls, proxyTls: tls });
  const connect = { ...tls, timeout: 0, lookup: guardedLookup(guard, rest.lookup ?? lookup), maxCachedSessions: 0 };
  return (origin) => new Client(origin, { ...common, connect });
}

/** One refused address among several refuses the name: which one is used would be left to chance. */
function guardedLookup(guard: AddressGuard, resolve: ResolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const reason = addresses.map(({ address }) => guard.refusesAddress(address)).find((why) => why !== null);
      if (reason !== undefined) return callback(new KeyFetchError("blocked", `the name resolves to a ${reason}`), "");
      const [first] = addresses;
      if (first === undefined) return callback(new KeyFetchError("dns", "the name has no address"), "");
      return options.all === true ? callback(null, [...addresses]) : callback(null, first.address, first.family);
    });
  };
}
