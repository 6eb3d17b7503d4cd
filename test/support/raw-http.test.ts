import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { sendRaw } from "./raw-http.ts";

describe("sendRaw", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** A server that keeps what it got and answers with these bytes, then closes. */
  async function answering(bytes: string): Promise<{ readonly port: number; received(): string }> {
    let received = "";
    const listening = createServer((socket) => {
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString("utf8");
        socket.end(bytes);
      });
    });
    server = listening;
    await new Promise<void>((resolve) => {
      listening.listen(0, "127.0.0.1", resolve);
    });
    const address = listening.address();
    if (address === null || typeof address === "string") throw new Error("not listening on a port");
    return { port: address.port, received: () => received };
  }

  const request = { method: "GET", authority: "a.example", path: "/%zz//x#y", headers: [] };

  it("writes the request as it is", async () => {
    const { port, received } = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    const headers = [["X-Role", "a,b"] as const, ["x-role", "ü"] as const];
    const response = await sendRaw(port, { ...request, headers });
    expect(received()).toBe(
      "GET /%zz//x#y HTTP/1.1\r\nHost: a.example\r\nX-Role: a,b\r\nx-role: ü\r\nConnection: close\r\n\r\n",
    );
    expect(response).toEqual({ status: 200, headers: [["content-length", "2"]], body: "ok" });
  });

  it.each([
    [{ sourceIp: "10.0.0.1", destinationPort: 80 }, "PROXY TCP4 10.0.0.1 127.0.0.1 40000 80\r\n"],
    [
      { sourceIp: "2001:db8::1", sourcePort: 1, destinationIp: "::2", destinationPort: 443 },
      "PROXY TCP6 2001:db8::1 ::2 1 443\r\n",
    ],
  ])("puts the addresses of %j in front", async (proxy, line) => {
    const { port, received } = await answering("HTTP/1.1 204 No Content\r\n\r\n");
    await sendRaw(port, { ...request, proxy });
    expect(received().startsWith(`${line}GET `)).toBe(true);
  });

  it("joins the chunks of a body", async () => {
    const { port } = await answering(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    expect((await sendRaw(port, request)).body).toBe("abcde");
  });

  it("expects no body after HEAD, whatever the length says", async () => {
    const { port } = await answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    expect(await sendRaw(port, { ...request, method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  it("reports a closed connection as status 0", async () => {
    const { port } = await answering("");
    expect(await sendRaw(port, request)).toEqual({ status: 0, headers: [], body: "" });
  });
});
