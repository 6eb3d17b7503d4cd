import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ConformanceCase } from "./case.ts";
import { CASES } from "./load-cases.ts";

/** What Istio fetched keys from when the cases were recorded. */
export interface KeyServer {
  /** The scenario with its URIs leading here. */
  serve(scenario: ConformanceCase): ConformanceCase;
  stop(): Promise<void>;
}

/** Where it was then; a port of the system's choice stands in for it, so that runs don't meet. */
const RECORDED = "http://127.0.0.1:19000/";

/** Starts it; the notes of the group `jwks-uri` say what is where. */
export async function startKeyServer(): Promise<KeyServer> {
  const server = createServer((request, response) => {
    const { status, headers, body } = answer(request.url ?? "");
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${portOf(server.address())}/`;
  return {
    serve: (scenario) => ({
      ...scenario,
      resources: JSON.parse(JSON.stringify(scenario.resources).replaceAll(RECORDED, origin)),
    }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(path: string): { status: number; headers: Record<string, string>; body: string } {
    const json = { "content-type": "application/json" };
    if (/^\/issuer-[a-e]\.jwks\.json$/.test(path)) {
      return { status: 200, headers: json, body: readFileSync(new URL(`keys${path}`, CASES), "utf8") };
    }
    switch (path) {
      case "/html":
        return { status: 200, headers: { "content-type": "text/html" }, body: "<html><body>Hello</body></html>" };
      case "/empty":
        return { status: 200, headers: json, body: '{"keys":[]}' };
      case "/redirect":
        return { status: 302, headers: { location: "/issuer-a.jwks.json" }, body: "" };
      case "/discovery/.well-known/openid-configuration":
        return { status: 200, headers: json, body: JSON.stringify({ jwks_uri: `${origin}issuer-b.jwks.json` }) };
      default:
        return { status: 404, headers: {}, body: "" };
    }
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the key server has no port");
  return address.port;
}
