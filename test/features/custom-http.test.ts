import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createCustomBench, custom, httpEntry, mesh } from "../support/custom-bench.ts";
import type { SeenHttpCheck } from "../support/ext-authz-provider.ts";

const bench = createCustomBench();
afterEach(() => bench.stop());

describe("a CUSTOM policy with an HTTP provider", () => {
  const answering =
    (code: number, headers: Readonly<Record<string, string>> = {}, body = "") =>
    (_seen: SeenHttpCheck, response: ServerResponse): void => {
      response.writeHead(code, headers).end(body);
    };

  test("asks with method, host, prefixed path and the chosen headers", async () => {
    const provider = await bench.http(answering(200));
    const more =
      ", pathPrefix: /check, includeRequestHeadersInCheck: [x-one, x-pre*, '*-suf'], includeAdditionalHeadersInCheck: { x-fixed: f, x-one: over }";
    const harness = await bench.start(mesh(httpEntry("p", provider.port, more)), custom("p"));
    const answer = await harness.check({
      method: "DELETE",
      path: "/a//b/../c?d=e",
      host: "h.example:8443",
      headers: [
        ["authorization", "Basic x"],
        ["x-one", "1"],
        ["x-prefixed", "2"],
        ["a-suf", "3"],
        ["x-other", "4"],
        ["content-length", "77"],
      ],
    });
    expect(answer.code).toBe(0);
    expect(provider.takeSeen()).toEqual([
      {
        method: "DELETE",
        path: "/check/a//c?d=e",
        headers: {
          authorization: "Basic x",
          connection: "keep-alive",
          "content-length": "0",
          host: "h.example:8443",
          "a-suf": "3",
          "x-fixed": "f",
          "x-one": "over",
          "x-prefixed": "2",
        },
      },
    ]);
  });

  test("only 200 allows; what else it answers is what the client gets, redirects included", async () => {
    for (const code of [201, 204, 302, 401, 404, 429]) {
      const provider = await bench.http(
        answering(code, { location: "/login", "x-why": "because" }, code === 204 ? "" : "no"),
      );
      const harness = await bench.start(mesh(httpEntry("p", provider.port, ", failOpen: true")), custom("p"));
      const answer = await harness.check();
      expect([answer.code === 0, answer.status, answer.body]).toEqual([false, code, code === 204 ? "" : "no"]);
      expect(answer.headers.get("location")).toBe("/login");
      expect(answer.headers.get("x-why")).toBe("because");
      expect(answer.headers.has("transfer-encoding")).toBe(false);
    }
  });

  test("headersToDownstreamOnDeny picks from a denial, headersToDownstreamOnAllow adds to an answer", async () => {
    const headers = { "x-yes": "1", "x-no": "2", "www-authenticate": "Basic" };
    const refusing = await bench.http(answering(401, headers));
    const harness = await bench.start(
      mesh(httpEntry("p", refusing.port, ", headersToDownstreamOnDeny: [x-yes]")),
      custom("p"),
    );
    expect([...(await harness.check()).headers.keys()].toSorted()).toEqual(["www-authenticate", "x-yes"]);
    const allowing = await bench.http(
      answering(200, { ...headers, "x-envoy-auth-headers-to-remove": "x-gone, :path" }),
    );
    const open = await bench.start(
      mesh(httpEntry("p", allowing.port, ", headersToDownstreamOnAllow: [x-yes]")),
      custom("p"),
    );
    const answer = await open.check({ headers: [["x-gone", "1"]] });
    expect(answer.code).toBe(0);
    expect(answer.set.size).toBe(0);
    expect(answer.removed).toEqual(["x-gone"]);
    expect(Buffer.from(answer.bytes).includes("x-yes")).toBe(true);
    expect(Buffer.from(answer.bytes).includes("x-no")).toBe(false);
  });

  test.each<[string, (seen: SeenHttpCheck, response: ServerResponse) => void]>([
    ["a 5xx", answering(500, {}, "broken")],
    ["no answer in time", () => undefined],
    ["a cut connection", (_seen, response) => void response.socket?.destroy()],
    [
      "an allow that breaks off",
      (_seen, response) => {
        response.writeHead(200, { "content-length": "10" });
        response.write("a", () => response.socket?.destroy());
      },
    ],
    ["something that is not HTTP", (_seen, response) => void response.socket?.end("HTTP/9 hello\r\n\r\n")],
  ])("fails closed with statusOnError, or open as told, on %s", async (_name, answer) => {
    const provider = await bench.http(answer);
    for (const [settings, expected] of [
      ["", 403],
      [", statusOnError: '503'", 503],
      [", failOpen: true", 200],
    ] as const) {
      const harness = await bench.start(
        mesh(httpEntry("p", provider.port, `, timeout: 200ms${settings}`)),
        custom("p"),
      );
      const { status: code, body } = await harness.check();
      expect([settings, code, body]).toEqual([settings, expected, ""]);
    }
  });

  test("a denial that breaks off stays a denial, also where it fails open", async () => {
    const provider = await bench.http((_seen, response) => {
      response.writeHead(401, { "content-length": "10" });
      response.write("a", () => response.socket?.destroy());
    });
    const harness = await bench.start(mesh(httpEntry("p", provider.port, ", failOpen: true")), custom("p"));
    expect((await harness.check()).status).toBe(401);
  });

  test("a request that HTTP/1.1 can't say is denied, also where it fails open", async () => {
    const provider = await bench.http(answering(200));
    const harness = await bench.start(mesh(httpEntry("p", provider.port, ", failOpen: true")), custom("p"));
    expect((await harness.check({ method: "CONNECT", path: "/" })).status).toBe(403);
    expect((await harness.check({ method: "G ET" })).status).toBe(403);
  });

  test("one connection serves many questions", async () => {
    const sockets = new Set<unknown>();
    const provider = await bench.http((_seen, response) => {
      sockets.add(response.socket);
      response.end();
    });
    const harness = await bench.start(mesh(httpEntry("p", provider.port)), custom("p"));
    for (let i = 0; i < 5; i++) expect((await harness.check()).code).toBe(0);
    expect(sockets.size).toBe(1);
  });
});
