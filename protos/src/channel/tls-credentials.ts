import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Three texts in PEM, as they stand in a Secret or in three files. */
export interface TlsPem {
  /** `tls.crt`: our certificate, followed by its intermediates. */
  readonly certificate: string;
  /** `tls.key` */
  readonly privateKey: string;
  /** `ca.crt`: whom we believe, one certificate or several; null: nobody has to prove anything. */
  readonly trusted: string | null;
}

/** What `node:tls` takes. */
export interface SecureOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
}

export type TlsCredentialsResult =
  | { readonly ok: true; readonly credentials: TlsCredentials }
  /** The message names the part and what is wrong with it; it never holds a part of the key. */
  | { readonly ok: false; readonly message: string };

/** What one side of a connection shows and whom it believes. Shown or logged, it has no private key. */
export class TlsCredentials {
  readonly leaf: X509Certificate;
  readonly authorities: readonly X509Certificate[];
  readonly #certificate: string;
  readonly #privateKey: string;

  constructor(pem: TlsPem, leaf: X509Certificate, authorities: readonly X509Certificate[]) {
    this.leaf = leaf;
    this.authorities = authorities;
    this.#certificate = pem.certificate;
    this.#privateKey = pem.privateKey;
  }

  /** When our certificate ends, in milliseconds since the epoch. */
  get expiresAtMs(): number {
    return this.leaf.validToDate.getTime();
  }

  /** When the last of those whom we believe ends; null when we ask for no proof. */
  get authorityExpiresAtMs(): number | null {
    if (this.authorities.length === 0) return null;
    return Math.max(...this.authorities.map(({ validToDate }) => validToDate.getTime()));
  }

  secureOptions(): SecureOptions {
    const ca = this.authorities.map((authority) => authority.toString());
    return { cert: this.#certificate, key: this.#privateKey, ca };
  }
}

/** Reads the three texts, and makes sure that they fit each other: they may be caught in the middle of a change. */
export function readTlsCredentials(pem: TlsPem): TlsCredentialsResult {
  const chain = readCertificates(pem.certificate);
  const [leaf] = chain ?? [];
  if (leaf === undefined) return { ok: false, message: "tls.crt holds no certificate in PEM" };
  const key = readPrivateKey(pem.privateKey);
  if (key === null) return { ok: false, message: "tls.key holds no private key in PEM" };
  if (!leaf.checkPrivateKey(key)) return { ok: false, message: "tls.key is not the key of tls.crt" };
  const authorities = pem.trusted === null ? [] : readCertificates(pem.trusted);
  if (authorities === null || (pem.trusted !== null && authorities.length === 0)) {
    return { ok: false, message: "ca.crt holds no certificate in PEM" };
  }
  return { ok: true, credentials: new TlsCredentials(pem, leaf, authorities) };
}

/** All certificates of a text in PEM, in order; null when one of them can't be read. */
export function readCertificates(pem: string): readonly X509Certificate[] | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return null; // what OpenSSL says about bad bytes helps nobody
  }
}

function readPrivateKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null; // the error may quote what it was given
  }
}
