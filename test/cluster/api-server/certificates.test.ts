import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mountSecret } from "../../support/certificates.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";

const NAMESPACE = "gatehouse-system";
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const CA = "gatehouse-ca";
const CLIENT = "gatehouse-authz-server-tls";

// As the chart makes them: two empty Secrets, and no more rights than these.
const INSTALLED = `
apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: v1
kind: Secret
metadata: { name: ${CA}, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Secret
metadata: { name: ${CLIENT}, namespace: ${NAMESPACE} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: gatehouse-controller, namespace: ${NAMESPACE} }
rules:
  - { apiGroups: [""], resources: [secrets], resourceNames: [${CA}, ${CLIENT}], verbs: [get, update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: gatehouse-controller, namespace: ${NAMESPACE} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: gatehouse-controller }
subjects: [{ kind: ServiceAccount, name: gatehouse-controller, namespace: ${NAMESPACE} }]
`;

let api: ApiServer;
let home: string;
let kubeconfig: string;

beforeAll(async () => {
  api = await startApiServer({ crds: false });
  home = await mkdtemp(join(tmpdir(), "gatehouse-certificates-"));
  await api.apply(INSTALLED);
  const token = await api.serviceAccountToken(NAMESPACE, "gatehouse-controller");
  kubeconfig = await api.writeKubeconfig({ token });
}, 60_000);

afterAll(async () => {
  await api?.stop();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

test("two replicas that start at once share one authority, and authz-servers get in at both", async () => {
  const controllers = await Promise.all(["one", "two"].map(startReplica));
  const servers: RunningAuthzServer[] = [];
  try {
    await waitFor("both have certificates", () =>
      controllers.every((controller) => controller.readiness().every(({ ok }) => ok)),
    );
    const authority = await readSecret(CA);
    const client = await readSecret(CLIENT);
    const [subject] = new X509Certificate(authority["ca.crt"] ?? "").subject.split("\n");
    expect(subject).toMatch(/^CN=gatehouse-ca-/);
    expect(new X509Certificate(client["tls.crt"] ?? "").issuer).toBe(subject);
    expect(authority["ca.crt"]?.match(/BEGIN/g)).toHaveLength(1);
    expect(client["ca.crt"]).toBe(authority["ca.crt"]);
    expect(client["tls.key"]).not.toBe(authority["tls.key"]);

    await mountClientSecret();
    for (const { xdsAddress } of controllers) servers.push(await startServer(xdsAddress));
    await waitFor("both have their policy", () =>
      servers.every(
        (server, i) => server.setVersion() !== null && server.setVersion() === controllers[i]?.setVersion(),
      ),
    );
  } finally {
    for (const part of [...servers, ...controllers]) await part.stop();
  }
});

test("a replica that starts later takes the authority that is there; one that is emptied is replaced", async () => {
  const before = await readSecret(CA);
  const controller = await startReplica("three");
  try {
    await waitFor("it has a certificate", () => controller.readiness().every(({ ok }) => ok));
    expect(await readSecret(CA)).toEqual(before);
    await api.client.patch(`${SECRETS}/${CA}`, { data: null });
    await waitFor(
      "there is another one",
      async () => {
        const [authority, client] = [await readSecret(CA), await readSecret(CLIENT)];
        const isNew = authority["ca.crt"] !== undefined && authority["ca.crt"] !== before["ca.crt"];
        return isNew && client["ca.crt"] === authority["ca.crt"];
      },
      30_000,
    );
    await mountClientSecret();
    const server = await startServer(controller.xdsAddress);
    try {
      await waitFor("policy has arrived", () => server.setVersion() === controller.setVersion());
    } finally {
      await server.stop();
    }
  } finally {
    await controller.stop();
  }
}, 60_000);

function startReplica(name: string): Promise<RunningController> {
  return startController({
    source: { kind: "directory", path: home },
    kubernetes: { kubeconfig, namespace: NAMESPACE, podName: name },
    xdsAddress: "0.0.0.0:0",
    xdsTls: {
      kind: "self-managed",
      namespace: NAMESPACE,
      authoritySecret: CA,
      clientSecret: CLIENT,
      serverName: `gatehouse-controller.${NAMESPACE}.svc`,
      clientName: `gatehouse-authz-server.${NAMESPACE}.svc`,
    },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
}

function startServer(xdsAddress: string): Promise<RunningAuthzServer> {
  return startAuthzServer({
    controller: xdsAddress.replace("0.0.0.0", "127.0.0.1"),
    xdsTls: { directory: join(home, "mounted"), serverName: `gatehouse-controller.${NAMESPACE}.svc` },
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    drain: { waitMs: 0, deadlineMs: 500 },
    backOff: { baseMs: 10, capMs: 50 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
}

async function mountClientSecret(): Promise<void> {
  const data = await readSecret(CLIENT);
  const keys = { certificate: data["tls.crt"] ?? "", privateKey: data["tls.key"] ?? "" };
  await mountSecret(join(home, "mounted"), keys, [data["ca.crt"] ?? ""]);
}

async function readSecret(name: string): Promise<Readonly<Record<string, string>>> {
  const { data = {} } = await api.client.get(`${SECRETS}/${name}`);
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]));
}
