import { Server, ServerCredentials } from "@grpc/grpc-js";

/** The yardstick: grpc-js that decodes nothing and always answers the same bytes, which let the request pass. Prints its port. */
const METHOD = {
  requestStream: false,
  responseStream: false,
  requestSerialize: unchanged,
  requestDeserialize: unchanged,
  responseSerialize: unchanged,
  responseDeserialize: unchanged,
} as const;

const server = new Server();
// CheckResponse { status {}, ok_response {} }
serve("/envoy.service.auth.v3.Authorization/Check", Buffer.from([0x0a, 0x00, 0x1a, 0x00]));
// HealthCheckResponse { status: SERVING }: Envoy asks before it sends anything.
serve("/grpc.health.v1.Health/Check", Buffer.from([0x08, 0x01]));
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});

function unchanged(bytes: Buffer): Buffer {
  return bytes;
}

function serve(path: string, response: Buffer): void {
  server.addService(
    { Method: { ...METHOD, path } },
    { Method: (_call: unknown, answer: (error: null, response: Buffer) => void) => answer(null, response) },
  );
}
