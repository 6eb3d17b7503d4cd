import { describe, expect, test } from "vitest";
import { HpackDecoder } from "./decoder.ts";
import { encodeFields } from "./encode-fields.ts";
import { HpackError } from "./hpack-error.ts";

function decode(decoder: HpackDecoder, hex: string): string[] {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const fields: string[] = [];
  decoder.decode(bytes, 0, bytes.length, (name, value) => void fields.push(`${name}: ${value}`));
  return fields;
}

describe("HpackDecoder", () => {
  test("reads the requests of RFC 7541, C.3, each by the table that the ones before left", () => {
    const decoder = new HpackDecoder();
    const start = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
    expect(decode(decoder, "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d")).toEqual(start);
    expect(decode(decoder, "8286 84be 5808 6e6f 2d63 6163 6865")).toEqual([...start, "cache-control: no-cache"]);
    expect(decode(decoder, "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65")).toEqual([
      ":method: GET",
      ":scheme: https",
      ":path: /index.html",
      ":authority: www.example.com",
      "custom-key: custom-value",
    ]);
  });

  test("reads the requests of RFC 7541, C.4, coded by Huffman", () => {
    const decoder = new HpackDecoder();
    const start = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
    expect(decode(decoder, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).toEqual(start);
    expect(decode(decoder, "8286 84be 5886 a8eb 1064 9cbf")).toEqual([...start, "cache-control: no-cache"]);
  });

  test("evicts by size, as in RFC 7541, C.6, under a table of 256 bytes", () => {
    const decoder = new HpackDecoder();
    decode(
      decoder,
      `3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d
       29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`.replaceAll("\n", ""),
    );
    expect(decode(decoder, "4883 640e ffc1 c0bf")).toEqual([
      ":status: 307",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:21 GMT",
      "location: https://www.example.com",
    ]);
    expect(() => decode(decoder, "c2")).toThrow(HpackError);
  });

  test.each([
    ["an index of 0", "80"],
    ["an index beyond both tables", "be"],
    ["a string beyond the block", "00 05 61"],
    ["a block that ends inside of an integer", "ff ff"],
    ["an integer without end", "ff ff ff ff ff ff 01"],
    ["a table that is larger than allowed", "3f e2 1f"],
    ["a table size after a field", "82 3f e1 01"],
    ["EOS in a Huffman text", "00 84 ff ff ff ff 00"],
    ["Huffman padding of eight bits", "00 82 1f ff 00"],
    ["Huffman padding of zeros", "00 81 18 00"],
  ])("refuses %s", (_, hex) => {
    expect(() => decode(new HpackDecoder(), hex)).toThrow(HpackError);
  });

  test("reads what the encoder writes, under any state of the table", () => {
    const fields = [
      { name: ":status", value: "200" },
      { name: "content-type", value: "application/grpc" },
      { name: "grpc-message", value: "x".repeat(300) },
    ];
    const read: unknown[] = [];
    const block = encodeFields(fields);
    const decoder = new HpackDecoder();
    decode(decoder, "40 01 61 01 62");
    decoder.decode(block, 0, block.length, (name, value) => void read.push({ name, value }));
    expect(read).toEqual(fields);
    expect(decoder.tableChanges).toBe(1);
  });
});
