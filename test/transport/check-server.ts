import { encodeAsDecision, startTestCheckServer } from "../support/check-server.ts";

/**
 * A check server in a process of its own, which a test may starve or kill. Arguments: transport, port (0: a free one), and the age in
 * milliseconds at which connections are asked to leave (0: the default). Prints its port, and at SIGUSR2 the bytes
 * of memory in use.
 * What it answers stands in the path of the request: /deny, /slow (after a while), /never; all else may pass.
 */
const [transport, port = "0", ageMs = "0"] = process.argv.slice(2);
const allow = encodeAsDecision({ kind: "allow", setHeaders: [], removeHeaders: [], responseHeaders: [], ref: null });
const deny = encodeAsDecision({ kind: "respond", status: 403, headers: [], body: "denied", reason: "test", ref: null });
const server = await startTestCheckServer(
  (message) => {
    const text = Buffer.from(message).toString("latin1");
    if (text.includes("/deny")) return deny;
    if (text.includes("/never")) return new Promise<Uint8Array>(() => undefined);
    if (text.includes("/slow")) return new Promise((resolve) => setTimeout(() => resolve(allow), 20));
    return allow;
  },
  {
    transport: transport === "grpc-js" ? "grpc-js" : "lean",
    port: Number(port),
    limits: Number(ageMs) > 0 ? { maxConnectionAgeMs: Number(ageMs) } : {},
  },
);
// What is really in use: resident memory also has what the collector has not looked at.
process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${heapUsed + external}\n`);
});
process.stdout.write(`${server.port}\n`);
