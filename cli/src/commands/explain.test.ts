import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JwksServer, startJwksServer } from "../../../test/support/jwks-server.ts";
import { mintTestToken, publicJwks } from "../../../test/support/jwt.ts";
import { addFlags, readSettings } from "../read-settings.ts";
import { explainCommand } from "./explain.ts";

const testdata = join(import.meta.dirname, "testdata");
const shop = join(testdata, "shop");

/** Each is a valid token of the shop but for what is said. */
const TOKENS = {
  buyer: () => mintTestToken({ aud: "shop-api", groups: ["buyers"], tier: "beta", email: "private@example.com" }),
  visitor: () => mintTestToken({ aud: "shop-api", groups: ["visitors", "press"], tier: "stable" }),
  expired: () => mintTestToken({ aud: "shop-api", exp: 1_700_000_100 }),
  stranger: () => mintTestToken({ aud: "shop-api", iss: "https://idp.example" }),
  "other-audience": () => mintTestToken({ aud: ["billing", "mail"] }),
  "unknown-key": () => mintTestToken({ aud: "shop-api" }, { kid: "key-of-2019" }),
  forged: () => mintTestToken({ aud: "shop-api" }, { key: "rogue-rsa-2048", kid: "rsa-2048" }),
} as const;

const API = ["--workload", "shop/app=api", "--request"];
const CART = ["--workload", "shop/app=cart", "--request"];
const MAIL = ["--workload", "shop/app=mail", "--request"];
const GATEWAY = ["--workload", "istio-system/istio=ingressgateway", "--request"];
const BUYER = ["--token-file", "buyer"];
const OFFICE = ["--source-ip", "10.1.2.3"];
const CALLER = [
  ...["--request", "GET http://api.shop.example/carts/7", ...BUYER, ...OFFICE, "-H", "x-team: cart"],
  ...["--source-principal", "spiffe://cluster.local/ns/shop/sa/caller"],
];

/** Golden file, question. Tokens are named. */
const QUESTIONS: readonly (readonly [string, readonly string[]])[] = [
  ["allowed", [...API, "POST http://api.shop/orders", ...BUYER, "-H", "x-forwarded-for: 10.1.2.3"]],
  ["no-token", [...API, "POST http://api.shop/orders", ...OFFICE]],
  ["wrong-group", [...API, "POST http://api.shop/orders", "--token-file", "visitor", ...OFFICE]],
  ["expired", [...API, "POST http://api.shop/orders", "--token-file", "expired"]],
  ["wrong-issuer", [...API, "POST http://api.shop/orders", "--token-file", "stranger"]],
  ["wrong-audience", [...API, "POST http://api.shop/orders", "--token-file", "other-audience"]],
  ["unknown-kid", [...API, "POST http://api.shop/orders", "--token-file", "unknown-key"]],
  ["forged", [...API, "POST http://api.shop/orders", "--token-file", "forged"]],
  ["no-jwt", [...API, "POST http://api.shop/orders", "-H", "authorization: Bearer hunter2"]],
  ["token-in-query", [...API, "GET http://api.shop/products/7?access_token=hunter2"]],
  ["deny-rule", [...API, "GET http://api.shop/internal/metrics", ...BUYER, ...OFFICE]],
  ["path-normalised", [...API, "GET http://api.shop/products/%2e%2e/internal;x=1/a", ...OFFICE]],
  ["bad-path", [...API, "GET http://api.shop/products%00"]],
  ["dry-run", [...API, "GET http://api.shop/products/7?secret=hunter2", "--source-ip", "192.0.2.7"]],
  [
    "header-redacted",
    [
      ...API,
      "GET http://api.shop/reports/1",
      ...OFFICE,
      "-H",
      "x-department: finance",
      "-H",
      "authorization: Basic hunter2",
    ],
  ],
  ["reserved-header", [...API, "GET http://api.shop/products", "-H", "x-gatehouse-cluster: evil"]],
  ["control-characters", [...API, "GET http://api.shop/reports/1", ...OFFICE, "-H", "x-department: \u001b[2J\u202e"]],
  ["broken-policy", [...CART, "GET http://cart.shop/"]],
  ["custom", [...MAIL, "POST http://mail.shop/send"]],
  ["nothing-applies", ["--workload", "shop/app=web", "--request", "GET http://web.shop/"]],
  ["route-by-claim", [...GATEWAY, "GET http://beta.shop.example/cart/1", "-H", "x-shop-token: $buyer"]],
  ["claim-route-404", [...GATEWAY, "GET http://beta.shop.example/cart/1", "-H", "x-shop-token: $visitor"]],
  ["claim-route-no-token", [...GATEWAY, "GET http://beta.shop.example/cart/1"]],
  ["unknown-host", [...GATEWAY, "GET http://www.shop.example/"]],
  ["fields-values", ["--workload", "fields/app=values", ...CALLER]],
  ["fields-not", ["--workload", "fields/app=not", ...CALLER]],
  ["fields-both", ["--workload", "fields/app=both", ...CALLER]],
];

const SECRETS = /eyJ|hunter2|private@example/;

let directory: string;
const tokens = new Map<string, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "explain-"));
  for (const [name, mint] of Object.entries(TOKENS)) {
    tokens.set(name, await mint());
    await writeFile(join(directory, name), `${tokens.get(name)}\n`);
  }
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("the answer to the question", () => {
  test.each(QUESTIONS)("%s", async (name, question) => {
    const answer = (await ask(question)).replaceAll(shop, "shop");
    expect(answer).not.toMatch(SECRETS);
    expect(answer.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const golden = join(testdata, `${name}.txt`);
    const content = `$ gatehouse explain --resources shop ${question.map(quoted).join(" ")}\n\n${answer}`;
    if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(golden, content);
    expect(content).toBe(await readFile(golden, "utf8"));
  });

  test("is asked for every golden file", async () => {
    const files = (await readdir(testdata)).filter((file) => file.endsWith(".txt"));
    expect(files.toSorted()).toEqual(QUESTIONS.map(([name]) => `${name}.txt`).toSorted());
  });
});

describe("the JSON form", () => {
  test.each(QUESTIONS)("holds no secret: %s", async (_name, question) => {
    expect(await ask([...question, "-o", "json"])).not.toMatch(SECRETS);
  });

  test("has the documented members", async () => {
    const question = [...API, "POST http://api.shop/orders", "--token-file", "visitor", ...OFFICE];
    const answer = JSON.parse(await ask([...question, "-o", "json"]));
    expect(Object.keys(answer)).toEqual([
      "version",
      ...["verdict", "request", "workload", "nearestMiss", "token", "policies", "route", "problems"],
    ]);
    expect(answer).toMatchObject({
      version: 1,
      verdict: {
        outcome: "deny",
        status: 403,
        body: "RBAC: access denied",
        reason: "no_allow_policy",
        policy: { kind: "AuthorizationPolicy", namespace: "shop", name: "customers" },
        rule: null,
      },
      request: {
        method: "POST",
        host: "api.shop",
        path: "/orders",
        sentPath: "/orders",
        port: 80,
        sourceIp: "10.1.2.3",
      },
      workload: { namespace: "shop", labels: "app=api", isGateway: false },
      nearestMiss: { object: { name: "customers" }, part: "rule 1" },
      token: { outcome: "verified", attempts: [{ accepted: true, keyId: "rsa-2048", alg: "RS256" }] },
      route: { outcome: "notAGateway" },
    });
    const customers = answer.policies.find(({ policy }: { policy: { name: string } }) => policy.name === "customers");
    expect(customers.rules[1]).toMatchObject({
      id: "ns[shop]-policy[customers]-rule[1]",
      matches: false,
      decides: false,
      from: [{ matches: true }],
      to: [{ matches: true }],
      firstFailed: {
        field: "when[0].request.auth.claims[groups]",
        holds: false,
        expected: { anyOf: ["buyers", "staff"], noneOf: [] },
        actual: { values: ["visitors", "press"], note: "" },
      },
    });
  });
});

describe("the documentation", () => {
  const root = join(import.meta.dirname, "../../..");

  test.each(["README.md", "docs/explain.md"])("shows what is really printed: %s", async (page) => {
    const content = await readFile(join(root, page), "utf8");
    const [, command = "", shown = ""] =
      /```console\n\$ npx gatehouse explain (.*?[^\\])\n(.*?)(?:\n\.\.\.)?\n```/s.exec(content) ?? [];
    const args = [...command.replaceAll("\\\n", "").matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, text, word]) => text ?? word ?? "",
    );
    const token = join(directory, "documented");
    await writeFile(token, await mintTestToken({ groups: ["group2"] }));
    const answer = await answerTo(
      args.map((arg) => (arg === "deploy/examples" ? join(root, arg) : arg === "token.jwt" ? token : arg)),
    );
    expect(shown).not.toBe("");
    expect(answer.slice(0, shown.length)).toBe(shown);
  });
});

describe("a CUSTOM policy", () => {
  const meshConfig = `extensionProviders: [{name: judge, envoyExtAuthzGrpc: {service: judge.shop, port: 9000}}]\n`;

  test.each([
    ["allow", "ALLOWED"],
    ["deny", "403"],
  ])("asks nobody; its provider is taken to %s", async (providers, verdict) => {
    const file = join(directory, "mesh.yaml");
    await writeFile(file, meshConfig);
    const answer = await ask([...MAIL, "POST http://mail.shop/send", "--mesh-config", file, "--providers", providers]);
    expect(answer).toMatch(new RegExp(`^${verdict} `));
    expect(answer).toContain("rule 0 matches: asks provider judge");
  });
});

describe("a rule whose keys have to be fetched", () => {
  let issuer: JwksServer;
  let policies: string;
  let question: readonly string[];

  beforeAll(async () => {
    issuer = await startJwksServer(publicJwks());
    policies = await mkdtemp(join(directory, "remote-"));
    await writeFile(join(policies, "policies.yaml"), remoteKeys(`${issuer.uri}?key=hunter2`));
    const token = await TOKENS.buyer();
    question = ["--resources", policies, ...API, "GET http://api.shop/", "--token", token];
  });

  afterAll(() => issuer.stop());

  test("is fetched on demand, and verifies its tokens", async () => {
    const answer = await answerTo([...question, "--fetch-keys"]);
    expect(answer).toMatch(/^ALLOWED /);
    expect(answer).toContain("key rsa-2048 (RS256)");
    expect(issuer.requests()).toBe(1);
  });

  test("refuses its tokens otherwise, and says so and what to do", async () => {
    const answer = await answerTo(question);
    expect(answer).toMatch(/^401 Jwt verification fails/);
    expect(answer).toContain("not checked, the keys of this issuer have not been fetched");
    expect(answer).toContain("RequestAuthentication shop/remote: its keys are not fetched here");
    expect(answer).toContain("--fetch-keys");
  });

  test("says why fetching fails, without the query of the address", async () => {
    const guarded = await answerTo([...question, "--fetch-keys", "--key-allowed-host", "idp.example.com"]);
    expect(guarded).toMatch(/^401 /);
    expect(guarded).toMatch(
      /keys of testing@secure.istio.io http:\/\/127.0.0.1:\d+\/keys could not be fetched \(blocked\)/,
    );
    expect(guarded).not.toContain("hunter2");
  });
});

test("a token without exp is refused where the mesh requires it, and the answer says so", async () => {
  const token = await mintTestToken({ aud: "shop-api", exp: undefined });
  const answer = await answerTo([
    "--resources",
    shop,
    ...API,
    "GET http://api.shop/",
    "--token",
    token,
    "--require-exp",
  ]);
  expect(answer).toMatch(/^401 Jwt payload \[exp\] field is required/);
  expect(answer).toContain("exp must be in every token (requireExp), is none");
});

function remoteKeys(jwksUri: string): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: remote, namespace: shop }
spec:
  jwtRules: [{ issuer: testing@secure.istio.io, jwksUri: "${jwksUri}" }]
`;
}

describe("the program", () => {
  const QUESTION = ["--resources", shop, ...API, "POST http://api.shop/orders"];

  test("reads the token from standard input, and exits 0 whatever the answer", async () => {
    const { code, stdout, stderr } = await run([...QUESTION, "--token-file", "-"], `${tokens.get("visitor")}\n`);
    expect(stdout).toMatch(/^403 RBAC: access denied {2}by AuthorizationPolicy shop\/customers/);
    expect(stdout).not.toContain("\u001b");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test.each([
    [["--resources", shop], 2, /--workload is missing[\s\S]*--request is missing/],
    [
      ["--resources", shop, "--workload", "shop", "--request", "GET http://a/"],
      2,
      /--workload "shop": expected for example/,
    ],
    [["--resources", shop, ...API, "http//nowhere"], 2, /--request "http\/\/nowhere": expected for example GET http/],
    [["--resources", shop, ...API, "GET /path"], 2, /--request "GET \/path": no host/],
    [[...QUESTION, "-H", "hunter2"], 2, /--header: expected for example -H "x-group: admin"/],
    [[...QUESTION, "--source-ip", "x"], 2, /--source-ip "x": not an IP address/],
    [["--resources", "nowhere", ...API, "GET http://a/"], 1, /resources directory nowhere: does not exist/],
  ])("explains wrong usage in a line each: %j", async (args, code, message) => {
    const ended = await run(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(SECRETS);
    expect(ended.code).toBe(code);
  });
});

function ask(question: readonly string[]): Promise<string> {
  return answerTo(["--resources", shop, ...question.map(withToken)]);
}

/** The answer, without starting a process. */
function answerTo(args: readonly string[]): Promise<string> {
  const command = new Command();
  addFlags(command, explainCommand.settings);
  command.parse(args, { from: "user" });
  return explainCommand.answer(readSettings(command, explainCommand.settings));
}

/** A name after --token-file is a file; `$name` in a header is the token itself. */
function withToken(arg: string, at: number, args: readonly string[]): string {
  if (args[at - 1] === "--token-file") return join(directory, arg);
  return arg.replace(/\$([\w-]+)$/, (_, name: string) => tokens.get(name) ?? name);
}

function quoted(arg: string): string {
  if (/^[\w./=:-]+$/.test(arg)) return arg;
  const escaped = arg.replace(/[\p{Cc}\p{Cf}]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return escaped === arg ? `'${arg}'` : `$'${escaped}'`;
}

async function run(args: readonly string[], stdin = "") {
  const program = fileURLToPath(new URL("../../bin/gatehouse.js", import.meta.url));
  const child = spawn(process.execPath, [program, "explain", ...args]);
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}
