import type { CheckResponse } from "@gatehouse/protos/wire";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import type { CheckHarness } from "../support/check-harness.ts";
import { createCustomBench, custom, grpcEntry, httpEntry, mesh, policy, READ_JWT } from "../support/custom-bench.ts";
import {
  allowance,
  denial,
  type GrpcAnswer,
  type SeenCheck,
  startGrpcProvider,
  type TestProvider,
} from "../support/ext-authz-provider.ts";
import { mintTestToken, TEST_ISSUER } from "../support/jwt.ts";

const bench = createCustomBench();
afterEach(() => bench.stop());

/** One gRPC provider that every request is put to. */
async function withGrpc(
  answer: GrpcAnswer,
  { settings = "", policies = "" } = {},
): Promise<{ readonly harness: CheckHarness; readonly provider: TestProvider<SeenCheck> }> {
  const provider = await bench.grpc(() => answer);
  const harness = await bench.start(mesh(grpcEntry("p", provider.port, settings)), custom("p") + policies);
  return { harness, provider };
}

describe("a CUSTOM policy with a gRPC provider", () => {
  test("lets the provider allow", async () => {
    const { harness, provider } = await withGrpc(allowance());
    expect((await harness.check()).code).toBe(0);
    expect(provider.takeSeen()).toHaveLength(1);
  });

  test("answers as the provider denies", async () => {
    const { harness } = await withGrpc(denial(418, "no tea", { "x-why": "tea", "set-cookie": "a=b" }));
    const answer = await harness.check();
    expect(answer).toMatchObject({ status: 418, body: "no tea" });
    expect(answer.code).not.toBe(0);
    expect(answer.headers).toEqual(
      new Map([
        ["x-why", "tea"],
        ["set-cookie", "a=b"],
      ]),
    );
  });

  test.each<[string, CheckResponse]>([
    ["no denied_response", { status: { code: 7 } }],
    ["no status in it", { status: { code: 16 }, deniedResponse: {} }],
    ["a status that is none", { status: { code: 7 }, deniedResponse: { status: { code: 99 } } }],
    ["an ok_response beside the code", { status: { code: 7 }, okResponse: {} }],
  ])("denies with 403 where a denial has %s", async (_name, response) => {
    const { harness } = await withGrpc(response);
    expect(await harness.check()).toMatchObject({ status: 403, body: "" });
  });

  test("takes an empty CheckResponse as an allow, as the protocol has it", async () => {
    const { harness } = await withGrpc({ bytes: new Uint8Array() });
    expect((await harness.check()).code).toBe(0);
  });

  test.each<[string, GrpcAnswer]>([
    ["a gRPC error", { fail: status.INTERNAL }],
    ["bytes that are no CheckResponse", { bytes: Uint8Array.of(0x0a, 0xff) }],
    ["an error_response", { bytes: Uint8Array.of(0x0a, 2, 8, 13, 0x2a, 0) }],
    ["no answer in time", "hang"],
  ])("fails closed with statusOnError, or open as told, on %s", async (_name, response) => {
    const provider = await bench.grpc(() => response);
    for (const [settings, expected] of [
      ["", 403],
      [", statusOnError: '503'", 503],
      [", failOpen: true", 200],
    ] as const) {
      const harness = await bench.start(
        mesh(grpcEntry("p", provider.port, `, timeout: 200ms${settings}`)),
        custom("p"),
      );
      const answer = await harness.check();
      expect([settings, answer.status, answer.code === 0]).toEqual([settings, expected, expected === 200]);
    }
  });

  test("fails closed while nobody listens, and asks again as soon as somebody does", async () => {
    const gone = await startGrpcProvider(() => allowance());
    await gone.stop();
    const harness = await bench.start(mesh(grpcEntry("p", gone.port, ", timeout: 5s")), custom("p"));
    expect((await harness.check()).status).toBe(403);
    const back = await startGrpcProvider(() => allowance(), { port: gone.port });
    bench.later(() => back.stop());
    await expect.poll(async () => (await harness.check()).status, { timeout: 10_000 }).toBe(200);
    expect(harness.log().filter((line) => line.includes("provider can't be asked"))).toHaveLength(1);
    expect(harness.log().filter((line) => line.includes("provider answers again"))).toHaveLength(1);
  });

  test("tells the provider what Istio's Envoy would: headers in the map, the normalised path, no header that we may set", async () => {
    const provider = await bench.grpc(() => allowance());
    const harness = await bench.start(mesh(grpcEntry("p", provider.port)), custom("p") + READ_JWT);
    await harness.check({
      method: "POST",
      path: "/a/../b?c=d",
      host: "h.example",
      principal: "spiffe://cluster.local/ns/a/sa/b",
      headers: [
        ["x-two", "1"],
        ["x-two", "2"],
        ["x-raw", Uint8Array.of(0x61, 0xff, 0xc3, 0xa9)],
        ["x-sub", "spoofed"],
      ],
    });
    const [seen] = provider.takeSeen();
    expect(seen).toMatchObject({ method: "POST", path: "/b?c=d", host: "h.example" });
    expect(seen?.headers).toEqual({
      ":authority": "h.example",
      ":method": "POST",
      ":path": "/b?c=d",
      ":scheme": "http",
      "x-two": "1,2",
      "x-raw": "a!é",
    });
    expect(seen?.message.attributes?.source?.principal).toBe("spiffe://cluster.local/ns/a/sa/b");
    expect(seen?.message.attributes?.request?.http?.headerMap).toBeNull();
  });

  test("is not asked about requests that no rule matches, and they are decided without waiting", async () => {
    const provider = await bench.grpc(() => denial(403));
    const harness = await bench.start(
      mesh(grpcEntry("p", provider.port)),
      custom("p", '[{ to: [{ operation: { paths: ["/custom"] } }] }]'),
    );
    expect((await harness.check({ path: "/other" })).code).toBe(0);
    expect(provider.takeSeen()).toEqual([]);
    expect((await harness.check({ path: "/custom" })).status).toBe(403);
  });

  test("comes before JWT, and its allow skips neither JWT nor DENY nor ALLOW", async () => {
    const deny = policy("deny", 'action: DENY\n  rules: [{ to: [{ operation: { paths: ["/denied"] } }] }]');
    const { harness, provider } = await withGrpc(allowance(), { policies: READ_JWT + deny });
    expect((await harness.check({ token: "not-a-token" })).status).toBe(401);
    expect((await harness.check({ path: "/denied" })).status).toBe(403);
    expect(provider.takeSeen()).toHaveLength(2);
    const { harness: strict } = await withGrpc(allowance(), { policies: policy("nothing", "{}") });
    expect((await strict.check()).status).toBe(403);
    const { harness: refusing } = await withGrpc(denial(402), { policies: READ_JWT });
    expect((await refusing.check({ token: "not-a-token" })).status).toBe(402);
  });

  test("gives later steps the headers that it sets: a token of the provider is verified", async () => {
    const token = await mintTestToken({ sub: "from-provider" });
    const allowUser = policy(
      "user",
      `rules: [{ from: [{ source: { requestPrincipals: ["${TEST_ISSUER}/from-provider"] } }] }]`,
    );
    const { harness } = await withGrpc(allowance({ authorization: `Bearer ${token}` }), {
      policies: READ_JWT + allowUser,
    });
    const answer = await harness.check({ headers: [["authorization", "Basic abc"]] });
    expect(answer.code).toBe(0);
    expect(answer.set.get("x-sub")).toBe("from-provider");
    expect(answer.removed).toContain("authorization");
    expect(answer.set.has("authorization")).toBe(false);
  });

  test("gives later steps the path and the metadata that it sets", async () => {
    const deny = policy("deny", 'action: DENY\n  rules: [{ to: [{ operation: { paths: ["/admin"] } }] }]');
    const moved = await withGrpc(allowance({ ":path": "/x/../admin" }), { policies: deny });
    expect((await moved.harness.check({ path: "/ok" })).status).toBe(403);
    const flagged = policy(
      "flagged",
      'action: DENY\n  rules: [{ when: [{ key: "experimental.envoy.filters.http.ext_authz[risk]", values: [high] }] }]',
    );
    const { harness } = await withGrpc({ bytes: metadataResponse() }, { policies: flagged });
    expect((await harness.check()).status).toBe(403);
  });

  test("removes, appends and adds headers and edits the query as Envoy does", async () => {
    const option = (key: string, value: string, more: object) => ({ header: { key, value }, ...more });
    const { harness } = await withGrpc({
      status: { code: 0 },
      okResponse: {
        headers: [
          option("X-Added", "p", {}),
          option("x-absent", "p", { appendAction: "ADD_IF_ABSENT" }),
          option("x-present", "p", { appendAction: "ADD_IF_ABSENT" }),
          option("x-over", "p", { appendAction: "OVERWRITE_IF_EXISTS" }),
          option("x-append", "p", { append: { value: true } }),
          option("x-set", "p", { append: { value: false } }),
          option("x-empty", "", { appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }),
        ],
        headersToRemove: ["X-Gone", ":path", "host"],
        queryParametersToSet: [{ key: "b", value: "2" }],
        queryParametersToRemove: ["z"],
      },
    });
    const names = ["x-added", "x-present", "x-set", "x-empty", "x-gone"];
    const answer = await harness.check({
      path: "/q?z=1&flag&a=0",
      headers: names.map((name) => [name, "c"] as const),
    });
    expect(Object.fromEntries(answer.set)).toEqual({
      ":path": "/q?a=0&b=2&flag=",
      "x-added": "c,p",
      "x-absent": "p",
      "x-set": "p",
    });
    expect(answer.removed).toEqual(["x-gone"]);
  });

  test.each([
    ["is added", {}, "admin"],
    ["is added", {}, "a,admin"],
    ["is appended to the first line", { append: { value: true } }, "a,admin"],
  ])("lets no line of the client hide behind what %s (%j, %s)", async (_how, option, sent) => {
    const answer = {
      status: { code: 0 },
      okResponse: { headers: [{ header: { key: "x-role", value: "p" }, ...option }] },
    };
    const deny = policy(
      "deny",
      'action: DENY\n  rules: [{ when: [{ key: "request.headers[x-role]", values: [admin] }] }]',
    );
    const { harness } = await withGrpc(answer, { policies: deny });
    const headers = sent.split(",").map((value) => ["x-role", value] as const);
    expect((await harness.check({ headers })).status).toBe(403);
    const honest = await harness.check({ headers: [["x-role", "a"]] });
    expect([honest.code, honest.set.get("x-role")]).toEqual([0, "a,p"]);
  });

  test("does not change where the request comes from", async () => {
    const allow = policy(
      "allow",
      'action: ALLOW\n  rules: [{ from: [{ source: { remoteIpBlocks: ["10.0.0.0/8"] } }] }]',
    );
    const { harness } = await withGrpc(allowance({}, ["x-forwarded-for"]), { policies: allow });
    expect((await harness.check({ headers: [["x-forwarded-for", "192.0.2.1"]] })).status).toBe(403);
    expect((await harness.check({ headers: [["x-forwarded-for", "10.9.9.9"]] })).status).toBe(200);
  });

  test("never lets the provider speak for us: own headers and JWT outputs are dropped", async () => {
    const { harness } = await withGrpc(
      allowance({ "x-gatehouse-cluster": "evil", X_Gatehouse_Route: "evil", "x-sub": "admin", connection: "close" }),
      { policies: READ_JWT },
    );
    const answer = await harness.check();
    expect(answer.code).toBe(0);
    expect([...answer.set.keys()]).toEqual([]);
    const denied = await withGrpc(denial(403, "", { "x-gatehouse-route": "evil", "content-length": "1", "x-ok": "1" }));
    expect([...(await denied.harness.check()).headers.keys()]).toEqual(["x-ok"]);
  });

  test.each([
    ["a line break in a value", { "x-a": "1\r\nx-b: 2" }],
    ["a name that is none", { "x a": "1" }],
    [":status", { ":status": "200" }],
    ["a path of two lines", { ":path": "/a HTTP/1.1\r\n" }],
    ["a path without slash", { ":path": "admin" }],
    ["CONNECT", { ":method": "CONNECT" }],
    ["a host that is none", { host: "a/b" }],
  ])("denies when an allow sets %s, also where it fails open", async (_name, set) => {
    const { harness } = await withGrpc(allowance(set), { settings: ", failOpen: true" });
    const answer = await harness.check();
    expect(answer.status).toBe(500);
    expect(answer.code).not.toBe(0);
  });
});

describe("CUSTOM policies with several providers", () => {
  test("are asked in order of name, each sees what the ones before changed, and all changes arrive", async () => {
    const order: string[] = [];
    const seenBySecond: string[] = [];
    const first = await bench.grpc(() => {
      order.push("a");
      return {
        status: { code: 0 },
        okResponse: { headers: [{ header: { key: "x-who", value: "a" } }, { header: { key: "x-a", value: "1" } }] },
      };
    });
    const second = await bench.http((seen, response) => {
      order.push("b");
      seenBySecond.push(seen.headers["x-who"] ?? "");
      response.writeHead(200, { "x-b": "2", "x-who": `${seen.headers["x-who"]},b`, "x-not-listed": "3" }).end();
    });
    const more = ", includeRequestHeadersInCheck: [x-who], headersToUpstreamOnAllow: [x-b, X-Who]";
    const harness = await bench.start(
      mesh(httpEntry("b", second.port, more), grpcEntry("a", first.port)),
      custom("b") + custom("a"),
    );
    const answer = await harness.check({ headers: [["x-who", "client"]] });
    expect(order).toEqual(["a", "b"]);
    expect(seenBySecond).toEqual(["client,a"]);
    expect(Object.fromEntries(answer.set)).toEqual({ "x-who": "client,a,b", "x-a": "1", "x-b": "2" });
  });

  test("end with the first denial: later providers are not asked", async () => {
    const first = await bench.grpc(() => denial(401, "first"));
    const second = await bench.grpc(() => allowance());
    const harness = await bench.start(
      mesh(grpcEntry("a", first.port), grpcEntry("b", second.port)),
      custom("a") + custom("b"),
    );
    expect(await harness.check()).toMatchObject({ status: 401, body: "first" });
    expect(second.takeSeen()).toEqual([]);
  });

  test("deny where a change of policy takes one away before it was asked, also where it fails open", async () => {
    const change = Promise.withResolvers<() => Promise<void>>();
    const done = Promise.withResolvers<void>();
    const first = await bench.http((_seen, response) => {
      void change.promise.then(async (swap) => {
        await swap();
        response.writeHead(200).end();
        done.resolve();
      });
    });
    const second = await bench.grpc(() => denial(403));
    const harness = await bench.start(
      mesh(httpEntry("a", first.port), grpcEntry("b", second.port, ", failOpen: true")),
      custom("a") + custom("b"),
    );
    const answer = harness.check();
    // Of the same YAML, but of other objects.
    change.resolve(() => harness.apply(custom("a") + custom("b")));
    await done.promise;
    expect((await answer).code).not.toBe(0);
  });

  test("deny where one of them is unknown, whatever the other says", async () => {
    const known = await bench.grpc(() => allowance());
    const harness = await bench.start(mesh(grpcEntry("known", known.port)), custom("known") + custom("unknown"));
    expect(await harness.check()).toMatchObject({ status: 403, body: "RBAC: access denied" });
  });
});

test("a request body that Envoy does not send is not judged blindly", async () => {
  const provider = await bench.grpc(() => allowance());
  const body = ", includeRequestBodyInCheck: { maxRequestBytes: 100 }, failOpen: true";
  const harness = await bench.start(mesh(grpcEntry("p", provider.port, body)), custom("p"));
  expect((await harness.check({ headers: [["content-length", "5"]] })).status).toBe(403);
  expect((await harness.check()).status).toBe(200);
});

/** An allow with `dynamic_metadata: { risk: high }`, which the generated types can't say. */
function metadataResponse(): Uint8Array {
  const field = (number: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.of((number << 3) | 2, payload.length), payload]);
  const value = field(3, Buffer.from("high"));
  const entry = Buffer.concat([field(1, Buffer.from("risk")), field(2, value)]);
  return field(4, field(1, entry));
}
