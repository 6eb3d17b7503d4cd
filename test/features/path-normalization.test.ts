import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { headerValue, sendRaw } from "../support/raw-http.ts";

// The unit tests of the authz-server's normaliser compare with this table; here the table itself is compared with a real Envoy.
const GOLDEN = new URL("../../authz-server/src/policy/testdata/path-normalization.golden.json", import.meta.url);

type Row = readonly [sent: string, ...outcomes: (string | null)[]];

/** How Istio sets Envoy's HTTP connection manager for each pathNormalization. */
const MODES = {
  NONE: {},
  BASE: { normalize_path: true },
  MERGE_SLASHES: { normalize_path: true, merge_slashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD",
  },
};

let envoy: EnvoyProcess;

beforeAll(async () => {
  envoy = await startEnvoy({
    static_resources: { listeners: Object.entries(MODES).map(([name, settings]) => listener(name, settings)) },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    layered_runtime: {
      layers: [{ name: "static", static_layer: { "envoy.reloadable_features.http_reject_path_with_fragment": false } }],
    },
  });
});

afterAll(() => envoy.stop());

it("the recorded table of path normalisation is what Envoy does", async () => {
  const recorded: readonly Row[] = JSON.parse(readFileSync(GOLDEN, "utf8"));
  const observed: Row[] = [];
  for (const [sent] of recorded) {
    observed.push([sent, ...(await Promise.all(Object.keys(MODES).map((mode) => ask(mode, sent))))]);
  }
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(GOLDEN, `[\n${observed.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`);
    return;
  }
  expect(observed).toEqual(recorded);
}, 60_000);

/** The path that Envoy routes by; null for a 400. */
async function ask(mode: string, path: string): Promise<string | null> {
  const answer = await sendRaw(envoy.listenerPort(mode), { method: "GET", authority: "a", path, headers: [] });
  return answer.status === 200 ? (headerValue(answer, "x-path") ?? "") : null;
}

function listener(name: string, settings: object): object {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: name,
    delayed_close_timeout: "0s",
    ...settings,
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            {
              match: { prefix: "" },
              direct_response: { status: 200 },
              response_headers_to_add: [{ header: { key: "x-path", value: "%REQ(:path)%" } }],
            },
          ],
        },
      ],
    },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  return {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}
