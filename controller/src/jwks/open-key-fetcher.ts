import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { StartError } from "../start-error.ts";
import { createKeyFetcher, type FetchKeys } from "./fetcher.ts";
import type { KeyFetchOptions } from "./key-options.ts";

/** Makes the function that fetches keys, from options as users give them. @throws StartError `BAD_OPTION` for one that can't be used */
export async function openKeyFetcher(options: KeyFetchOptions): Promise<FetchKeys> {
  const { proxy, caFile } = options;
  const extraCa = caFile === null ? "" : await readCertificates(caFile);
  if (proxy !== null && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? "")) {
    throw new StartError(
      "BAD_OPTION",
      "the proxy for keys is not an http or https URL; expected e.g. http://proxy.example:3128",
    );
  }
  try {
    return createKeyFetcher({ ...options, extraCa });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StartError("BAD_OPTION", cause.message, { cause });
  }
}

async function readCertificates(path: string): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    new X509Certificate(text); // of several the first; an empty or foreign file throws
    return text;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError("BAD_OPTION", `can't use the CA file ${path}: ${reason}; expected PEM certificates`, {
      cause,
    });
  }
}
