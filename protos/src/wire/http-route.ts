import type { CorsPolicy, Fault, HttpRoute, Retries, Rewrite } from "../model/routing.ts";
import { enumCodec } from "./enum-codec.ts";
import type {
  CorsPolicy as WireCors,
  CorsPolicy__Output as WireCorsOutput,
} from "./gen/gatehouse/policy/v1/CorsPolicy.ts";
import type { Fault as WireFault, Fault__Output as WireFaultOutput } from "./gen/gatehouse/policy/v1/Fault.ts";
import type { HttpRoute as Wire, HttpRoute__Output as WireOutput } from "./gen/gatehouse/policy/v1/HttpRoute.ts";
import type {
  Retries as WireRetries,
  Retries__Output as WireRetriesOutput,
} from "./gen/gatehouse/policy/v1/Retries.ts";
import type {
  Rewrite as WireRewrite,
  Rewrite__Output as WireRewriteOutput,
} from "./gen/gatehouse/policy/v1/Rewrite.ts";
import { readHeaderOperations, writeHeaderOperations } from "./header-operations.ts";
import { readHttpMatch, writeHttpMatch } from "./http-match.ts";
import { double, uint32, uint64 } from "./numbers.ts";
import { readAction, writeAction } from "./route-action.ts";
import { exact, finite, readList, readOptional } from "./shape.ts";
import { readStringMatch, writeMatch } from "./string-match.ts";

const unmatchedPreflights = enumCodec({
  FORWARD: "UNMATCHED_PREFLIGHTS_FORWARD",
  IGNORE: "UNMATCHED_PREFLIGHTS_IGNORE",
} as const);

/** Writes one route. */
export function writeRoute(route: HttpRoute): Wire {
  return {
    index: uint32(route.index, "http.index"),
    name: route.name,
    match: route.match.map(writeHttpMatch),
    ...writeAction(route.action),
    requestHeaders: writeHeaderOperations(route.requestHeaders),
    responseHeaders: writeHeaderOperations(route.responseHeaders),
    rewrite: route.rewrite === null ? null : writeRewrite(route.rewrite),
    ...(route.timeoutMs === null ? {} : { timeoutMs: uint64(route.timeoutMs, "http.timeoutMs") }),
    retries: route.retries === null ? null : writeRetries(route.retries),
    fault: route.fault === null ? null : writeFault(route.fault),
    cors: route.cors === null ? null : writeCors(route.cors),
  };
}

/** Reads one route. */
export function readRoute(wire: WireOutput, path: string): HttpRoute {
  return {
    index: wire.index,
    name: wire.name,
    match: readList(wire.match, `${path}.match`, readHttpMatch),
    action: readAction(wire, path),
    requestHeaders: readHeaderOperations(wire.requestHeaders, `${path}.requestHeaders`),
    responseHeaders: readHeaderOperations(wire.responseHeaders, `${path}.responseHeaders`),
    rewrite: readOptional(wire.rewrite, `${path}.rewrite`, readRewrite),
    timeoutMs: readOptional(wire.timeoutMs, `${path}.timeoutMs`, exact),
    retries: readOptional(wire.retries, `${path}.retries`, readRetries),
    fault: readOptional(wire.fault, `${path}.fault`, readFault),
    cors: readOptional(wire.cors, `${path}.cors`, readCors),
  };
}

function writeRewrite(rewrite: Rewrite): WireRewrite {
  const { uri, uriRegex, authority } = rewrite;
  return {
    ...(uri === null ? {} : { uri }),
    uriRegex: uriRegex === null ? null : { match: uriRegex.match, rewrite: uriRegex.rewrite },
    authority,
  };
}

function readRewrite(wire: WireRewriteOutput): Rewrite {
  const { uriRegex } = wire;
  return {
    uri: wire.uri ?? null,
    uriRegex: uriRegex === null ? null : { match: uriRegex.match, rewrite: uriRegex.rewrite },
    authority: wire.authority,
  };
}

function writeRetries(retries: Retries): WireRetries {
  return {
    attempts: uint32(retries.attempts, "http.retries.attempts"),
    perTryTimeoutMs: uint64(retries.perTryTimeoutMs, "http.retries.perTryTimeoutMs"),
    retryOn: retries.retryOn,
  };
}

function readRetries(wire: WireRetriesOutput, path: string): Retries {
  return {
    attempts: wire.attempts,
    perTryTimeoutMs: exact(wire.perTryTimeoutMs, `${path}.perTryTimeoutMs`),
    retryOn: wire.retryOn,
  };
}

function writeFault({ abort, delay }: Fault): WireFault {
  return {
    abort: abort && {
      status: uint32(abort.status, "http.fault.abort.status"),
      percentage: double(abort.percentage, "http.fault.abort.percentage"),
    },
    delay: delay && {
      delayMs: uint64(delay.delayMs, "http.fault.delay.delayMs"),
      percentage: double(delay.percentage, "http.fault.delay.percentage"),
    },
  };
}

function readFault({ abort, delay }: WireFaultOutput, path: string): Fault {
  return {
    abort: abort && { status: abort.status, percentage: finite(abort.percentage, `${path}.abort.percentage`) },
    delay: delay && {
      delayMs: exact(delay.delayMs, `${path}.delay.delayMs`),
      percentage: finite(delay.percentage, `${path}.delay.percentage`),
    },
  };
}

function writeCors(cors: CorsPolicy): WireCors {
  return {
    allowOrigins: cors.allowOrigins.map(writeMatch),
    allowMethods: [...cors.allowMethods],
    allowHeaders: [...cors.allowHeaders],
    exposeHeaders: [...cors.exposeHeaders],
    ...(cors.maxAgeSec === null ? {} : { maxAgeSec: uint64(cors.maxAgeSec, "http.cors.maxAgeSec") }),
    ...(cors.allowCredentials === null ? {} : { allowCredentials: cors.allowCredentials }),
    unmatchedPreflights: unmatchedPreflights.encode(cors.unmatchedPreflights),
  };
}

function readCors(wire: WireCorsOutput, path: string): CorsPolicy {
  return {
    allowOrigins: readList(wire.allowOrigins, `${path}.allowOrigins`, readStringMatch),
    allowMethods: wire.allowMethods,
    allowHeaders: wire.allowHeaders,
    exposeHeaders: wire.exposeHeaders,
    maxAgeSec: readOptional(wire.maxAgeSec, `${path}.maxAgeSec`, exact),
    allowCredentials: wire.allowCredentials ?? null,
    unmatchedPreflights: unmatchedPreflights.decode(wire.unmatchedPreflights, `${path}.unmatchedPreflights`),
  };
}
