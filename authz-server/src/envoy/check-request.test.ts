import { loadExtAuthz } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCheckRequest } from "./check-request.ts";
import { ProtoError } from "./proto-reader.ts";

const { requestSerialize } = loadExtAuthz().service.Check;

const ascii = fc.string({ unit: "binary-ascii", maxLength: 12 });
const headers = fc.array(
  fc.record({ key: ascii, rawValue: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) }),
  { maxLength: 6 },
);
const socketAddress = fc.record({ address: ascii, portValue: fc.nat(65_535) });

const anyRequest = fc.record({
  method: ascii,
  path: ascii,
  host: ascii,
  lines: headers,
  source: socketAddress,
  destination: socketAddress,
});

describe("readCheckRequest", () => {
  it("reads what the full decoder wrote, byte for byte", () => {
    fc.assert(
      fc.property(anyRequest, ({ method, path, host, lines, source, destination }) => {
        const bytes = requestSerialize({
          attributes: {
            source: { address: { socketAddress: source }, principal: path },
            destination: { address: { socketAddress: destination } },
            request: { http: { id: "7", method, path, host, scheme: "https", headerMap: { headers: lines } } },
            contextExtensions: [{ key: "gatehouse-namespace", value: host }],
            tlsSession: { sni: method },
          },
        });
        const request = readCheckRequest(bytes);
        expect(request).toMatchObject({ method, path, host, scheme: "https", sni: method, hasRawHeaders: true });
        expect(request?.source).toEqual({ address: source.address, port: source.portValue, principal: path });
        expect(request?.destination.port).toBe(destination.portValue);
        expect(request?.contextExtensions.get("gatehouse-namespace")).toBe(host);
        expect(request?.headers).toEqual(
          lines.map(({ key, rawValue }) => ({ name: key, value: rawValue.toString("latin1") })),
        );
      }),
    );
  });

  it("tells whether a NUL stands in the request", () => {
    fc.assert(
      fc.property(anyRequest, ({ method, path, host, lines }) => {
        const headers = lines.map(({ key, rawValue }) => ({ key, rawValue }));
        const bytes = requestSerialize({
          attributes: { request: { http: { method, path, host, headerMap: { headers } } } },
        });
        const texts = [method, path, host, ...lines.flatMap(({ key, rawValue }) => [key, rawValue.toString("latin1")])];
        expect(readCheckRequest(bytes)?.hasNul).toBe(texts.some((text) => text.includes("\0")));
      }),
    );
  });

  it("tells joined headers from raw ones", () => {
    const bytes = requestSerialize({ attributes: { request: { http: { headers: [{ key: "x-a", value: "1,2" }] } } } });
    expect(readCheckRequest(bytes)).toMatchObject({ hasRawHeaders: false, headers: [{ name: "x-a", value: "1,2" }] });
  });

  it("reads texts and lists of texts from the metadata of another filter, and nothing else", () => {
    const bytes = requestSerialize({
      attributes: {
        request: { http: {} },
        metadataContext: {
          filterMetadata: [
            {
              key: "envoy.filters.http.lua",
              value: {
                fields: {
                  text: { stringValue: "é" },
                  list: { listValue: { values: [{ stringValue: "a" }, { numberValue: 1 }, { stringValue: "b" }] } },
                  number: { numberValue: 1 },
                },
              },
            },
          ],
        },
      },
    });
    const request = readCheckRequest(bytes);
    expect(request?.filterMetadata("envoy.filters.http.lua", "text")).toBe("é");
    expect(request?.filterMetadata("envoy.filters.http.lua", "list")).toEqual(["a", "b"]);
    expect(request?.filterMetadata("envoy.filters.http.lua", "number")).toBeUndefined();
    expect(request?.filterMetadata("envoy.filters.http.other", "text")).toBeUndefined();
  });

  it("is undefined for a request without HTTP attributes", () => {
    expect(readCheckRequest(requestSerialize({ attributes: { source: {} } }))).toBeUndefined();
    expect(readCheckRequest(new Uint8Array())).toBeUndefined();
  });

  it("throws nothing but ProtoError, whatever the bytes", () => {
    const valid = requestSerialize({
      attributes: { request: { http: { path: "/", headerMap: { headers: [{ key: "a", value: "b" }] } } } },
    });
    const damaged = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(valid);
      copy[at] = byte;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged), (bytes) => {
        try {
          const request = readCheckRequest(bytes);
          request?.filterMetadata("a", "b");
        } catch (error) {
          expect(error).toBeInstanceOf(ProtoError);
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
