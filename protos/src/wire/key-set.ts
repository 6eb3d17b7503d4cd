import type { Jwk, KeySet } from "../model/jwt.ts";
import { enumCodec } from "./enum-codec.ts";
import type { Jwk as WireKey, Jwk__Output as WireKeyOutput } from "./gen/gatehouse/policy/v1/Jwk.ts";
import type { KeySet as Wire, KeySet__Output as WireOutput } from "./gen/gatehouse/policy/v1/KeySet.ts";
import { onlyCase, readList, required } from "./shape.ts";

const state = enumCodec({
  ready: "STATE_READY",
  noValidKeys: "STATE_NO_VALID_KEYS",
  unavailable: "STATE_UNAVAILABLE",
} as const);

const ecCurve = enumCodec({ "P-256": "CURVE_P256", "P-384": "CURVE_P384", "P-521": "CURVE_P521" } as const);

const okpCurve = enumCodec({ Ed25519: "CURVE_ED25519" } as const);

/** Writes a KeySet. */
export function writeKeySet(model: KeySet): Wire {
  return { name: model.name, state: state.encode(model.state), keys: model.keys.map(writeKey) };
}

/** Reads a KeySet. */
export function readKeySet(wire: WireOutput, minReaderVersion: number, path: string): KeySet {
  return {
    kind: "KeySet",
    name: wire.name,
    minReaderVersion,
    state: state.decode(wire.state, `${path}.state`),
    keys: readList(wire.keys, `${path}.keys`, readKey),
  };
}

function writeKey(key: Jwk): WireKey {
  const { kid, alg } = key;
  switch (key.kty) {
    case "RSA":
      return { kid, alg, rsa: { n: key.n, e: key.e } };
    case "EC":
      return { kid, alg, ec: { crv: ecCurve.encode(key.crv), x: key.x, y: key.y } };
    case "oct":
      return { kid, alg, oct: { k: key.k } };
    case "OKP":
      return { kid, alg, okp: { crv: okpCurve.encode(key.crv), x: key.x } };
  }
}

function readKey(wire: WireKeyOutput, path: string): Jwk {
  const { kid, alg } = wire;
  const kind = onlyCase(wire, ["rsa", "ec", "oct", "okp"], path);
  switch (kind) {
    case "rsa": {
      const { n, e } = required(wire.rsa, path);
      return { kty: "RSA", kid, alg, n, e };
    }
    case "ec": {
      const { crv, x, y } = required(wire.ec, path);
      return { kty: "EC", kid, alg, crv: ecCurve.decode(crv, `${path}.ec.crv`), x, y };
    }
    case "oct":
      return { kty: "oct", kid, alg, k: required(wire.oct, path).k };
    case "okp": {
      const { crv, x } = required(wire.okp, path);
      return { kty: "OKP", kid, alg, crv: okpCurve.decode(crv, `${path}.okp.crv`), x };
    }
  }
}
