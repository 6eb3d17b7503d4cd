/**
 * The service behind the Envoys of the cluster tests. Answers 200 and what it got, as JSON; /jwks.json is the text of JWKS.
 * Environment: NAME (said in each answer), HOST and PORT to listen on, JWKS.
 */
import { createServer } from "node:http";

const { NAME: service = "sample", HOST: host = "0.0.0.0", PORT: port = "8000", JWKS: jwks = "" } = process.env;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const { method, url: path, headers } = request;
  const body = path === "/jwks.json" ? jwks : `${JSON.stringify({ service, method, path, headers })}\n`;
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(method === "HEAD" ? undefined : body);
});
server.listen(Number(port), host);
process.on("SIGTERM", () => server.close());
