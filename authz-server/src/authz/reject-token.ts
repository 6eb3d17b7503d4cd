import type { MeshConfig } from "@gatehouse/protos";
import type { Rejected } from "../authn/authn-result.ts";
import { JWT_STATUS_TEXT } from "../authn/jwt-status.ts";
import type { Respond } from "../decision.ts";
import type { HeaderLine, HttpRequest } from "../http-request.ts";
import type { NormalizedTarget } from "../policy/path-normalizer.ts";

/** Envoy cuts the path in a challenge after as many characters. */
const MAX_REALM_PATH = 256;

/**
 * Istio's answer to a token that is not accepted: 401 with a challenge, 403 where only the audience is wrong.
 * The realm leaves out the query, which may hold the token.
 */
export function rejectToken(
  rejected: Rejected,
  request: HttpRequest,
  target: NormalizedTarget,
  mesh: MeshConfig,
): Respond {
  const { failure } = rejected;
  if (rejected.keysUnavailable && mesh.keysUnavailable === 503 && failure === "JwtVerificationFail") return noKeys();
  const realm = `${request.scheme}://${request.host}${originalPath(request, target).slice(0, MAX_REALM_PATH)}`;
  const error = failure === "JwtMissed" ? "" : ', error="invalid_token"';
  return {
    kind: "respond",
    status: failure === "JwtAudienceNotAllowed" ? 403 : 401,
    headers: [header("www-authenticate", `Bearer realm="${realm}"${error}`)],
    body: JWT_STATUS_TEXT[failure],
    reason: failure === "JwtMissed" ? "jwt_missing" : "jwt_rejected",
    ref: null,
  };
}

/** As Envoy: a proxy in front that has rewritten the path says what it was. */
function originalPath(request: HttpRequest, target: NormalizedTarget): string {
  const original = request.headers.find(({ name }) => name === "x-envoy-original-path")?.value ?? "";
  return original === "" ? target.path : (original.split(/[?#]/, 1)[0] ?? "");
}

function noKeys(): Respond {
  return {
    kind: "respond",
    status: 503,
    headers: [header("retry-after", "5")],
    body: "",
    reason: "keys_unavailable",
    ref: null,
  };
}

function header(name: string, value: string): HeaderLine {
  return { name, value };
}
