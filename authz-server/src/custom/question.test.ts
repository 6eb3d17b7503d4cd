import type { ExtensionProvider } from "@gatehouse/protos";
import { type CheckRequest, loadExtAuthz } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCheckRequest } from "../envoy/check-request.ts";
import type { HttpRequest } from "../http-request.ts";
import { encodeQuestion, type Question, toQuestion } from "./question.ts";

const CHECK = loadExtAuthz().service.Check;

const PROVIDER: ExtensionProvider = {
  kind: "ExtensionProvider",
  name: "p",
  minReaderVersion: 1,
  protocol: "grpc",
  service: "p.foo",
  port: 9000,
  timeoutMs: 1000,
  failOpen: false,
  statusOnError: 403,
  pathPrefix: "",
  includeRequestHeadersInCheck: [],
  includeAdditionalHeadersInCheck: [],
  headersToUpstreamOnAllow: [],
  headersToDownstreamOnDeny: [],
  headersToDownstreamOnAllow: [],
  maxRequestBytes: 0,
  allowPartialMessage: false,
};

function requestOf(http: object, attributes: object = {}): HttpRequest {
  const message: CheckRequest = { attributes: { ...attributes, request: { http } } };
  const request = readCheckRequest(CHECK.requestSerialize(message));
  if (request === undefined) throw new Error("no request");
  return request;
}

function ask(request: HttpRequest, provider: Partial<ExtensionProvider> = {}): Question {
  const question = toQuestion(request, { ...PROVIDER, ...provider });
  if (question.kind !== "question") throw new Error(question.message);
  return question;
}

describe("the question to a provider", () => {
  test("holds what Envoy sent, with the request as it is now", () => {
    const name = fc.stringMatching(/^[a-z-]{1,8}$/);
    const value = fc.stringMatching(/^[ -~]{0,12}$/);
    const headers = fc.uniqueArray(fc.record({ key: name, value }), { selector: ({ key }) => key, maxLength: 6 });
    fc.assert(
      fc.property(headers, headers, value, (sent, now, path) => {
        const envoy = requestOf(
          { id: "7", method: "GET", path: "/old", host: "old", protocol: "HTTP/2", headerMap: { headers: sent } },
          {
            contextExtensions: [{ key: "k", value: "v" }],
            source: { principal: "spiffe://a" },
            tlsSession: { sni: "s" },
          },
        );
        const changed = {
          ...envoy,
          path,
          host: "new",
          headers: now.map(({ key, value: text }) => ({ name: key, value: text })),
        };
        const { attributes } = CHECK.requestDeserialize(Buffer.from(encodeQuestion(ask(changed))));
        expect(attributes?.request?.http).toMatchObject({
          id: "7",
          method: "GET",
          path,
          host: "new",
          protocol: "HTTP/2",
        });
        expect(attributes?.request?.http?.headers).toEqual(now);
        expect(attributes?.request?.http?.headerMap).toBeNull();
        expect(attributes?.source?.principal).toBe("spiffe://a");
        expect(attributes?.tlsSession?.sni).toBe("s");
        expect(attributes?.contextExtensions).toEqual([{ key: "k", value: "v" }]);
      }),
    );
  });

  test("is the same however often it is passed on", () => {
    const request = requestOf({ method: "GET", path: "/", headers: [{ key: "a", value: "1" }] });
    const once = encodeQuestion(ask(request));
    const twice = encodeQuestion(ask({ ...request, message: once }));
    expect(Buffer.from(twice)).toEqual(Buffer.from(once));
  });

  test("shows the body only to providers that want it, as much as they want", () => {
    const request = requestOf({ method: "POST", path: "/", body: "0123456789" });
    expect(ask(request).body).toHaveLength(0);
    expect(Buffer.from(ask(request, { maxRequestBytes: 10 }).body).toString()).toBe("0123456789");
    expect(toQuestion(request, { ...PROVIDER, maxRequestBytes: 9 })).toMatchObject({ kind: "refused", status: 413 });
    const partial = ask(request, { maxRequestBytes: 9, allowPartialMessage: true });
    expect(Buffer.from(partial.body).toString()).toBe("012345678");
    expect(partial.headers.get("x-envoy-auth-partial-body")).toBe("true");
    const { attributes } = CHECK.requestDeserialize(Buffer.from(encodeQuestion(partial)));
    expect(attributes?.request?.http?.body).toBe("012345678");
  });
});
