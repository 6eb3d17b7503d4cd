export { type CredentialsDirectory, openCredentialsDirectory } from "./credentials-directory.ts";
export type { ChannelLog, CredentialsSource } from "./credentials-source.ts";
export { namesOf } from "./own-certificate.ts";
export { toChain, whyNoLongerTrusted, whyNotPeer } from "./peer-identity.ts";
export type { CountRefusal, Refusal } from "./refusal.ts";
export { readCertificates, readTlsCredentials, type TlsCredentials, type TlsPem } from "./tls-credentials.ts";
export { createTlsFront, DEFAULT_HANDSHAKE_LIMITS, type HandshakeLimits, type TlsFront } from "./tls-front.ts";
