import { X509Certificate } from "node:crypto";
import { readCertificates, type TlsCredentials } from "@gatehouse/protos/channel";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KubernetesError } from "../kubernetes/api.ts";
import { ANNOUNCE_MS, AUTHORITY_LIFE_MS, BACKDATE_MS } from "./authority.ts";
import { issueAuthority } from "./issue.ts";
import { SelfManagedCertificates } from "./self-managed.ts";
import { SecretsApi } from "./testdata/secrets-api.ts";

const CA = "gatehouse-ca";
const CLIENT = "gatehouse-authz-server-tls";
const HOUR_MS = 3600_000;
const START_MS = Date.parse("2030-01-01T00:00:00Z");

let api: SecretsApi;
let nowMs: number;
let logged: string[];
let ending: AbortController;
const running: Promise<void>[] = [];

beforeEach(() => {
  api = new SecretsApi([CA, CLIENT]);
  nowMs = START_MS;
  logged = [];
  ending = new AbortController();
});

afterEach(async () => {
  ending.abort();
  await Promise.all(running.splice(0));
});

/** @param random places the renewal between half (0) and two thirds (1) of a certificate's life */
function start(random = 0): SelfManagedCertificates {
  const certificates = new SelfManagedCertificates({
    api,
    authoritySecret: { namespace: "gatehouse-system", name: CA },
    clientSecret: { namespace: "gatehouse-system", name: CLIENT },
    serverName: "gatehouse-controller.gatehouse-system.svc",
    clientName: "gatehouse-authz-server.gatehouse-system.svc",
    log: pino({ level: "info" }, { write: (line: string) => void logged.push(line) }),
    nowMs: () => nowMs,
    random: () => random,
    pollMs: 1,
  });
  running.push(certificates.run(ending.signal));
  return certificates;
}

async function ready(certificates: SelfManagedCertificates): Promise<TlsCredentials> {
  await expect.poll(() => certificates.problem(), { timeout: 5000 }).toBeNull();
  const current = certificates.current();
  if (current === null) throw new Error("no problem and no certificate");
  return current;
}

/** Subjects of the authorities that count, in order. */
function trusted(): readonly string[] {
  return (readCertificates(api.text(CA, "ca.crt")) ?? []).map(({ subject }) => subject);
}

function client(): X509Certificate {
  return new X509Certificate(api.text(CLIENT, "tls.crt"));
}

async function become(what: () => unknown, value: unknown): Promise<void> {
  await expect.poll(what, { timeout: 5000, interval: 2 }).toEqual(value);
}

it("makes one authority, though several replicas start at once with empty Secrets", async () => {
  const replicas = [start(), start(), start(), start()];
  const servers = await Promise.all(replicas.map(ready));
  expect(api.writes.filter((name) => name === CA)).toHaveLength(1);
  expect(api.writes.filter((name) => name === CLIENT)).toHaveLength(1);
  const [authority] = readCertificates(api.text(CA, "ca.crt")) ?? [];
  if (authority === undefined) throw new Error("no authority");
  for (const { leaf } of [...servers, { leaf: client() }]) expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(new Set(servers.map(({ leaf }) => leaf.serialNumber)).size).toBe(4);
  expect(servers.map(({ leaf }) => leaf.subjectAltName)[0]).toBe("DNS:gatehouse-controller.gatehouse-system.svc");
  expect(client().subjectAltName).toBe("DNS:gatehouse-authz-server.gatehouse-system.svc");
  expect(api.text(CLIENT, "ca.crt")).toBe(api.text(CA, "ca.crt"));
  expect(api.show(CLIENT).metadata.labels).toEqual({ "app.kubernetes.io/name": "gatehouse" });
  // No key of the authority leaves its Secret, and none is logged.
  expect(JSON.stringify(api.show(CLIENT).data)).not.toContain(api.show(CA).data["tls.key"]);
  expect(logged.join("")).not.toContain("PRIVATE");
});

it("renews its own certificate and the authz-servers' after half of their life, and not before", async () => {
  const certificates = start(0);
  const server = (await ready(certificates)).leaf.serialNumber;
  const before = client().serialNumber;
  nowMs += 11.5 * HOUR_MS;
  const requests = api.requests;
  await expect.poll(() => api.requests).toBeGreaterThan(requests + 10); // several rounds, in which nothing must happen
  expect([certificates.current()?.leaf.serialNumber, client().serialNumber]).toEqual([server, before]);
  nowMs += HOUR_MS;
  await expect.poll(() => client().serialNumber).not.toBe(before);
  await expect.poll(() => certificates.current()?.leaf.serialNumber).not.toBe(server);
  expect(certificates.client()?.leaf.serialNumber).toBe(client().serialNumber);
  expect(client().validToDate.getTime()).toBe(nowMs + 24 * HOUR_MS);
  expect(trusted()).toHaveLength(1);
});

it("replaces the authority by one that was announced an hour before, and forgets the old one when it ends", async () => {
  const certificates = start();
  await ready(certificates);
  const [first] = trusted();
  nowMs = START_MS + (AUTHORITY_LIFE_MS * 2) / 3;
  await become(() => trusted().length, 2);
  const [second] = trusted();
  await become(() => api.text(CLIENT, "ca.crt"), api.text(CA, "ca.crt"));
  await become(() => certificates.current()?.authorities.length, 2);
  // Everybody knows the second one, and the first still signs.
  await become(() => client().validFromDate.getTime(), nowMs - BACKDATE_MS);
  expect([client().issuer, certificates.current()?.leaf.issuer]).toEqual([first, first]);
  nowMs += ANNOUNCE_MS;
  await become(() => new X509Certificate(api.text(CA, "tls.crt")).subject, second);
  expect([client().issuer, trusted()]).toEqual([first, [second, first]]);
  nowMs += 13 * HOUR_MS;
  await become(() => [client().issuer, certificates.current()?.leaf.issuer], [second, second]);
  expect(trusted()).toEqual([second, first]);
  expect(api.text(CA, "next.key")).toBe("");
  // It rests now.
  const [writes, requests] = [api.writes.length, api.requests];
  await expect.poll(() => api.requests).toBeGreaterThan(requests + 10);
  expect(api.writes.length).toBe(writes);
  nowMs = START_MS + AUTHORITY_LIFE_MS;
  await become(trusted, [second]);
  await become(() => api.text(CLIENT, "ca.crt"), api.text(CA, "ca.crt"));
});

it("makes a new authority when a person empties the Secret, and everything with it", async () => {
  const certificates = start();
  await ready(certificates);
  const [first] = trusted();
  api.edit(CA, {});
  await become(() => trusted().length === 1 && trusted()[0] !== first, true);
  await become(() => client().issuer, trusted()[0]);
  await become(() => certificates.current()?.leaf.issuer, trusted()[0]);
  expect(certificates.current()?.authorities.map(({ subject }) => subject)).toEqual(trusted());
});

it("touches no Secret that holds something else, and says what to do", async () => {
  const foreign = await issueAuthority({ fromMs: START_MS, toMs: START_MS + HOUR_MS });
  const other = await issueAuthority({ fromMs: START_MS, toMs: START_MS + HOUR_MS });
  const texts = { "tls.crt": foreign.certificate, "tls.key": other.privateKey, "ca.crt": foreign.certificate };
  api.edit(CA, texts);
  const certificates = start();
  await expect
    .poll(() => certificates.problem())
    .toContain("gatehouse-system/gatehouse-ca: tls.crt and tls.key are no");
  expect(certificates.problem()).toContain("empty the Secret");
  expect([certificates.current(), api.writes]).toEqual([null, []]);
  expect(logged.join("")).not.toContain("PRIVATE");
  api.edit(CA, { ...texts, "tls.key": foreign.privateKey });
  await ready(certificates);
  expect(client().issuer).toBe(new X509Certificate(foreign.certificate).subject);
});

it("goes on with what it has while the API server is away, and comes back by itself", async () => {
  const certificates = start();
  const { leaf } = await ready(certificates);
  api.failure = new KubernetesError("NETWORK", "GET secrets: connection refused");
  await expect.poll(() => certificates.problem()).toContain("connection refused");
  expect(certificates.current()?.leaf.serialNumber).toBe(leaf.serialNumber);
  api.failure = null;
  await ready(certificates);
  expect(logged.filter((line) => line.includes("can't be managed"))).toHaveLength(1);
});

it("writes the authz-servers' certificate again when somebody spoils it", async () => {
  await ready(start());
  const good = client().subject;
  for (const texts of [{}, { "tls.crt": "nonsense" }]) {
    api.edit(CLIENT, texts);
    await become(() => api.text(CLIENT, "ca.crt"), api.text(CA, "ca.crt"));
    expect(client().subject).toBe(good);
  }
});
