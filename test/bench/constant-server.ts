import { loadExtAuthz } from "@gatehouse/protos/wire";
import { Server, ServerCredentials } from "@grpc/grpc-js";

/** The yardstick: decodes every request by proto-loader and always answers that it may pass. Prints its port. */
const server = new Server();
server.addService(loadExtAuthz().service, {
  Check: (_call: unknown, answer: (error: null, response: object) => void) =>
    answer(null, { status: { code: 0 }, okResponse: {} }),
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
