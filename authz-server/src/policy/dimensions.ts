import { isJsonList } from "../authn/json.ts";
import { asciiLowerCase } from "../http-request.ts";
import { hostReadings } from "./host-readings.ts";
import type { Dimension } from "./match-keys.ts";

/** Without query. */
export const PATH: Dimension = { id: "path", cost: 0.1, read: ({ path }) => path };
/** In lower case. */
export const HOST: Dimension = { id: "host", cost: 0.2, read: ({ request }) => asciiLowerCase(request.host) };
/** In lower case, by each reading. What a wide test accepts is one of them; a narrow test looks at the host itself, which is one, too. */
export const HOST_READINGS: Dimension = {
  id: "host",
  cost: 0.2,
  read: ({ request }) => hostReadings(asciiLowerCase(request.host)),
};
/** Of a verified token. */
export const SUBJECT: Dimension = { id: "sub", cost: 0.3, read: ({ claims }) => claims?.text("sub") };
/** Of a verified token. */
export const ISSUER: Dimension = { id: "iss", cost: 0.4, read: ({ claims }) => claims?.text("iss") };
/** Identity of the peer's certificate. */
export const PEER: Dimension = { id: "peer", cost: 0.4, read: ({ request }) => request.source.principal };
/** As the client sent it. */
export const SNI: Dimension = { id: "sni", cost: 0.5, read: ({ request }) => request.sni };
/** As the client sent it. */
export const METHOD: Dimension = { id: "method", cost: 0.5, read: ({ request }) => request.method };
/** The local one. */
export const PORT: Dimension = { id: "port", cost: 0.6, read: ({ request }) => String(request.destination.port) };

/** The names of all header lines. Its id must not be that of a header: any name is allowed after `header `. */
export const HEADER_NAMES: Dimension = {
  id: "names of headers",
  cost: 0.8,
  read: ({ headers }) => headers.map(({ name }) => name),
};

/** The lines of one header. @param lineName as `headerLineName` gives it */
export function headerDimension(lineName: string): Dimension {
  return {
    id: `header ${lineName}`,
    cost: 0.8,
    read: ({ headers }) => headers.filter((line) => line.name === lineName).map((line) => line.value),
  };
}

/** A claim: the text, or the texts of a list. */
export function claimDimension(path: readonly string[]): Dimension {
  return {
    id: `claim ${JSON.stringify(path)}`,
    cost: 0.7,
    read({ claims }) {
      const value = claims?.at(path);
      if (typeof value === "string") return value;
      return isJsonList(value) ? value.filter((element) => typeof element === "string") : undefined;
    },
  };
}
