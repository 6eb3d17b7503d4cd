import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { createTlsFront, openCredentialsDirectory, type Refusal } from "@gatehouse/protos/channel";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  AUTHZ_SERVER_NAME,
  CONTROLLER_NAME,
  createTestAuthority,
  issueTestAuthority,
  mountSecret,
  type TestAuthority,
  TestCredentials,
} from "../support/certificates.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { testTransport } from "../support/test-transport.ts";
import { waitFor } from "../support/wait-for.ts";

const CONTROLLER = { name: CONTROLLER_NAME, usage: "server" } as const;
const AUTHZ_SERVER = { name: AUTHZ_SERVER_NAME, usage: "client" } as const;
const SILENT = pino({ level: "silent" });

let home: string;
let old: TestAuthority;
let next: TestAuthority;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gatehouse-rotation-"));
  cleanUps.push(() => rm(home, { recursive: true, force: true }));
  old = await createTestAuthority();
  next = await createTestAuthority();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Server extends RunningAuthzServer {
  readonly logged: string[];
}

async function startServer(controller: string, secret: string, nowMs = Date.now): Promise<Server> {
  const logged: string[] = [];
  const server = await startAuthzServer({
    controller,
    nodeId: secret,
    xdsTls: { directory: join(home, secret), serverName: CONTROLLER_NAME },
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    transport: testTransport(),
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 10, capMs: 50 },
    nowMs,
    log: pino({ level: "info" }, { write: (line: string) => void logged.push(line) }),
    registry: new Registry(),
  });
  cleanUps.push(() => server.stop());
  return { ...server, logged };
}

it("R28: a change of authority with overlap drops no stream; without the old one its certificates are refused", async () => {
  const refusals: Refusal[] = [];
  const controller = new TestCredentials();
  controller.set(await old.issue(CONTROLLER), [old.certificate]);
  const publisher = await startPolicyPublisher("127.0.0.1:0", {
    source: controller,
    clientName: AUTHZ_SERVER_NAME,
    countRefusal: (reason) => refusals.push(reason),
    nowMs: Date.now,
  });
  cleanUps.push(() => publisher.stop());
  const publish = (trustDomain: string) =>
    publisher.publish(new Map([["mesh", [parseMeshConfig(`trustDomain: ${trustDomain}`).meshConfig]]]));
  publish("one.example");
  const oldClient = await old.issue(AUTHZ_SERVER);
  await mountSecret(join(home, "first"), oldClient, [old.certificate]);
  await mountSecret(join(home, "second"), oldClient, [old.certificate]);
  const first = await startServer(publisher.address, "first");
  const second = await startServer(publisher.address, "second");
  const both = () => [first, second].every((server) => server.setVersion() === publisher.version());
  await waitFor("both have the policy", both);

  // Announced, then used by one side after the other.
  const overlap = [next.certificate, old.certificate];
  controller.set(await old.issue(CONTROLLER), overlap);
  await mountSecret(join(home, "first"), oldClient, overlap);
  await mountSecret(join(home, "second"), oldClient, overlap);
  const loads = (server: Server) => server.logged.filter((line) => line.includes("certificates loaded")).length;
  await waitFor("both have read them", () => loads(first) === 2 && loads(second) === 2);
  controller.set(await next.issue(CONTROLLER), overlap);
  await mountSecret(join(home, "first"), await next.issue(AUTHZ_SERVER), overlap);
  await waitFor("the first has a new certificate", () => loads(first) === 3);
  publish("two.example");
  await waitFor("both follow", both);
  await mountSecret(join(home, "third"), await next.issue(AUTHZ_SERVER), [next.certificate]);
  const third = await startServer(publisher.address, "third");
  await waitFor("a new one gets in", () => third.setVersion() === publisher.version());
  expect([refusals, publisher.connected().toSorted()]).toEqual([[], ["first", "second", "third"]]);
  for (const { logged } of [first, second, third]) expect(logged.join("")).not.toContain("no policy stream");

  // The old authority goes: who came with its certificate has to come again with another one.
  controller.set(await next.issue(CONTROLLER), [next.certificate]);
  await waitFor(
    "the second is refused, again and again",
    () => refusals.filter((one) => one === "untrusted").length > 3,
  );
  await waitFor("the first is back with its new certificate", () => publisher.connected().includes("first"));
  publish("three.example");
  await waitFor("the others follow", () => [first, third].every((one) => one.setVersion() === publisher.version()));
  expect(publisher.connected().toSorted()).toEqual(["first", "third"]);
  expect(second.readiness().every(({ ok }) => ok)).toBe(true);
  await mountSecret(join(home, "second"), await next.issue(AUTHZ_SERVER), overlap);
  await waitFor("the second is back", both);
});

it("R28: a server leaves a controller whose authority it no longer trusts, and one whose certificate expires", async () => {
  let nowMs = Date.now();
  const controller = new TestCredentials();
  controller.set(await old.issue(CONTROLLER), [old.certificate]);
  const publisher = await startPolicyPublisher("127.0.0.1:0", {
    source: controller,
    clientName: AUTHZ_SERVER_NAME,
    countRefusal: () => undefined,
    nowMs: Date.now,
  });
  cleanUps.push(() => publisher.stop());
  publisher.publish(new Map([["mesh", [parseMeshConfig("").meshConfig]]]));
  await mountSecret(join(home, "server"), await old.issue(AUTHZ_SERVER), [old.certificate]);
  const server = await startServer(publisher.address, "server", () => nowMs);
  await waitFor("it is connected", () => publisher.connected().length === 1);
  await mountSecret(join(home, "server"), await old.issue(AUTHZ_SERVER), [next.certificate]);
  await waitFor("it left", () => server.logged.some((line) => line.includes("authority is not trusted any more")));
  await waitFor("and can't come back", () => server.logged.some((line) => line.includes("is not the controller")));
  await mountSecret(join(home, "server"), await old.issue(AUTHZ_SERVER), [old.certificate]);
  await waitFor("it is back", () => publisher.connected().length === 1);
  server.logged.length = 0;
  nowMs += 3600_000;
  await waitFor("it left again", () => server.logged.some((line) => line.includes("are about to expire")));
  expect(server.logged.join("")).not.toContain("is not the controller");
});

it("waits for its own certificate without an alarm, and connects as soon as it is there", async () => {
  const controller = new TestCredentials();
  controller.set(await old.issue(CONTROLLER), [old.certificate]);
  const publisher = await startPolicyPublisher("127.0.0.1:0", {
    source: controller,
    clientName: AUTHZ_SERVER_NAME,
    countRefusal: () => undefined,
    nowMs: Date.now,
  });
  cleanUps.push(() => publisher.stop());
  const server = await startServer(publisher.address, "later");
  await waitFor("it waits", () => server.logged.some((line) => line.includes("no certificate to show")));
  await mountSecret(join(home, "later"), await old.issue(AUTHZ_SERVER), [old.certificate]);
  await waitFor("it is connected", () => publisher.connected().length === 1);
  expect(server.logged.filter((line) => line.includes('"level":50'))).toEqual([]);
});

it("cuts a connection when its certificate expires, whoever sleeps at the other end", async () => {
  let nowMs = Date.now();
  const refusals: Refusal[] = [];
  const source = new TestCredentials();
  source.set(await old.issue(CONTROLLER), [old.certificate]);
  const accepted: TLSSocket[] = [];
  const front = createTlsFront({
    source,
    peer: { name: AUTHZ_SERVER_NAME, usage: "client" },
    minVersion: "TLSv1.3",
    onConnection: (socket) => accepted.push(socket.resume()),
    countRefusal: (reason) => refusals.push(reason),
    log: SILENT,
    sweepMs: 20,
    nowMs: () => nowMs,
  });
  const address = await listen((socket) => front.accept(socket));
  const keys = await old.issue(AUTHZ_SERVER);
  const dial = () =>
    connectTls({
      ...address,
      servername: CONTROLLER_NAME,
      ca: [old.certificate],
      cert: keys.certificate,
      key: keys.privateKey,
      ALPNProtocols: ["h2"],
    }).on("error", () => undefined);
  const client = dial().resume();
  await waitFor("it is accepted", () => accepted.length === 1);
  const closed = new Promise((resolve) => client.once("close", resolve));
  nowMs += 3600_000;
  await closed;
  expect(refusals).toEqual(["expired"]);
  // Without credentials, and after the stop, nobody gets in.
  front.stop();
  const late = dial().resume();
  await new Promise((resolve) => late.once("close", resolve));
  expect([accepted.length, refusals]).toEqual([1, ["expired", "not_ready"]]);
});

it("keeps the credentials it has when the directory holds others that don't fit together", async () => {
  const path = join(home, "files");
  const keys = await old.issue(CONTROLLER);
  await mountSecret(path, keys, [old.certificate]);
  const logged: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void logged.push(line) });
  let looks = 0;
  const nowMs = () => {
    looks += 1; // once for each look while there are credentials
    return Date.now();
  };
  const directory = await openCredentialsDirectory({ path, authority: "optional", log, pollMs: 5, nowMs });
  cleanUps.push(() => directory.stop());
  const loaded = directory.current();
  const foreign = await next.issue(CONTROLLER);
  const broken: readonly (readonly [KeyTexts, readonly string[], string])[] = [
    [{ ...keys, privateKey: foreign.privateKey }, [old.certificate], "tls.key is not the key of tls.crt"],
    [{ ...keys, privateKey: "nonsense" }, [old.certificate], "tls.key holds no private key"],
    [{ ...keys, certificate: "nonsense" }, [old.certificate], "tls.crt holds no certificate"],
    [foreign, ["nonsense"], "ca.crt holds no certificate"],
    [foreign, [], "ca.crt is missing"],
  ];
  for (const [pair, trusted, problem] of broken) {
    await mountSecret(path, pair, trusted);
    await waitFor(problem, () => directory.problem()?.includes(problem) === true);
    expect(directory.current()).toBe(loaded);
    expect(directory.problem()).not.toContain(pair.privateKey);
  }
  await mountSecret(path, keys, [old.certificate]);
  await waitFor("all is well again", () => directory.problem() === null);
  expect(directory.current()).toBe(loaded);
  await rm(path, { recursive: true });
  await waitFor("nothing is there", () => directory.problem() === `${join(path, "tls.crt")} is missing`);
  expect(directory.current()).toBe(loaded);
  const [saidOnce, seen] = [logged.length, looks];
  await waitFor("it has looked many times more", () => looks > seen + 50);
  expect(logged).toHaveLength(saidOnce);
  expect(JSON.stringify(loaded)).not.toContain("PRIVATE KEY");
});

it("does not show the certificate of an authority as its own, and takes the right one when it comes", async () => {
  const path = join(home, "files");
  await mountSecret(path, await issueTestAuthority(Date.now() - 1000), [old.certificate]);
  const self = { name: CONTROLLER_NAME, usage: "server" } as const;
  const directory = await openCredentialsDirectory({ path, authority: "required", self, log: SILENT, pollMs: 5 });
  cleanUps.push(() => directory.stop());
  expect(directory.problem()).toBe(`${path}: tls.crt is the certificate of an authority; put one there that it issued`);
  await mountSecret(path, await old.issue(CONTROLLER), []);
  await waitFor("whom to trust is missing", () => directory.problem()?.includes("ca.crt is missing") === true);
  expect(directory.current()).toBeNull();
  await mountSecret(path, await old.issue(CONTROLLER), [old.certificate]);
  await waitFor("it is loaded", () => directory.current() !== null);
  expect(directory.problem()).toBeNull();
});

type KeyTexts = Awaited<ReturnType<TestAuthority["issue"]>>;

async function listen(accept: (socket: Socket) => void): Promise<{ readonly host: string; readonly port: number }> {
  const server = createServer(accept);
  cleanUps.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  return { host: "127.0.0.1", port: typeof bound === "object" && bound !== null ? bound.port : 0 };
}
