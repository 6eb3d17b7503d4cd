import type { DemoPorts } from "./ports.ts";

/** One request to try: what it shows and the status that must come back. */
export interface TryIt {
  readonly what: string;
  readonly command: string;
  readonly status: number;
}

/** The requests of the demo, for each example file. Commands are meant for the root of the repository. */
export function walkthrough(
  ports: DemoPorts,
): readonly { readonly title: string; readonly requests: readonly TryIt[] }[] {
  return [
    {
      title: "Authorization by JWT (httpbin.yaml): only tokens with group1 reach httpbin",
      requests: [
        tryIt(ports.httpbin, "no token", 403),
        tryIt(ports.httpbin, "invalid token", 401, "deadbeef"),
        tryIt(ports.httpbin, "token without groups", 403, DEMO),
        tryIt(ports.httpbin, "token of group1", 200, GROUPS_SCOPE),
      ],
    },
    {
      title: "Routing by JWT claim (ingress-gateway.yaml): only tokens with group1 have a route",
      requests: [
        tryIt(ports.gateway, "no token", 404),
        tryIt(ports.gateway, "invalid token", 401, "deadbeef"),
        tryIt(ports.gateway, "token without groups", 404, DEMO),
        tryIt(ports.gateway, "token of group1", 200, GROUPS_SCOPE),
      ],
    },
  ];
}

/** The walkthrough as text: each command on a line of its own, its status and meaning behind it as a comment. */
export function formatWalkthrough(ports: DemoPorts): string {
  return walkthrough(ports)
    .map(({ title, requests }) => {
      const lines = requests.map(({ what, command, status }) => `  ${command}  # ${status} ${what}`);
      return `${title}\n${lines.join("\n")}\n`;
    })
    .join("\n");
}

const DEMO = "$(cat deploy/demo/tokens/demo.jwt)";
const GROUPS_SCOPE = "$(cat deploy/demo/tokens/groups-scope.jwt)";

function tryIt(port: number, what: string, status: number, token?: string): TryIt {
  const header = token === undefined ? "" : ` -H "Authorization: Bearer ${token}"`;
  return {
    what,
    status,
    command: `curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:${port}/headers${header}`,
  };
}
