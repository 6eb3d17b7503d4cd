import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { afterEach, expect, it } from "vitest";
import { runGrpcLoad } from "./grpc-load.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

it("makes exactly the calls asked for, the messages in turn, with the metadata", async () => {
  const seen: string[] = [];
  const port = await serve((call, answer) => {
    seen.push(`${call.request.toString()} ${call.metadata.get("who").join()}`);
    answer(null, Buffer.from("12345"));
  });
  const messages = [Buffer.from("one"), Buffer.from("two")];
  const result = await runGrpcLoad({ ...LOAD, port, messages, calls: 500, metadata: { who: "me" } });
  const counts = ["one me", "two me"].map((text) => seen.filter((other) => other === text).length);
  expect(counts).toEqual([250, 250]);
  expect(result.answerSizes).toEqual([10]);
});

it("goes on when the messages together are larger than the flow control window", async () => {
  const port = await serve((_, answer) => answer(null, Buffer.alloc(0)));
  for (const [size, calls] of [
    [10_000, 200],
    [10, 10_000], // headers do not count
  ] as const) {
    const result = await runGrpcLoad({ ...LOAD, port, messages: [Buffer.alloc(size)], calls });
    expect(result.latenciesMs).toHaveLength(calls);
  }
});

it("makes calls at the rate that is asked for, over all connections", async () => {
  const port = await serve((_, answer) => answer(null, Buffer.alloc(0)));
  const result = await runGrpcLoad({ ...LOAD, port, calls: 200, perSecond: 1000 });
  expect(result.latenciesMs).toHaveLength(200);
  expect(result.elapsedMs).toBeGreaterThan(150);
});

it("rejects when the server goes away", async () => {
  const port = await serve(() => {
    for (const server of servers) server.forceShutdown();
  });
  await expect(runGrpcLoad({ ...LOAD, port, calls: 10 })).rejects.toThrow();
});

const LOAD = {
  path: "/test.Echo/Say",
  metadata: {},
  messages: [Buffer.from("message")],
  connections: 2,
  concurrency: 10,
};

type Handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

function serve(handler: Handler): Promise<number> {
  const server = new Server();
  servers.push(server);
  const bytes = (value: Buffer): Buffer => value;
  const method = { requestStream: false, responseStream: false, requestSerialize: bytes, responseDeserialize: bytes };
  const definition = { ...method, path: LOAD.path, requestDeserialize: bytes, responseSerialize: bytes };
  server.addService({ Say: definition }, { Say: handler });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
