import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const chart = `${root}/deploy/helm/gatehouse`;
const run = promisify(execFile);

/** Where install-helm.sh put them. */
const tools = (await run(`${root}/test/support/install-helm.sh`)).stdout.trim();

test("helm lint --strict finds nothing", async () => {
  expect((await helm(["lint", "--strict", chart])).replaceAll(/^.*INFO.*$\n?/gm, "")).toContain("0 chart(s) failed");
});

test("the suites of helm-unittest pass", async () => {
  const suites = readdirSync(`${chart}/tests`).filter((file) => file.endsWith("_test.yaml")).length;
  const { stdout } = await run(`${tools}/helm-unittest`, [chart]);
  expect(stripVTControlCharacters(stdout)).toContain(`Test Suites: ${suites} passed, ${suites} total`);
});

test.each(["default", "everything"])("renders the golden output with %s values", async (name) => {
  const rendered = await render(name);
  const golden = new URL(`testdata/${name}.out.yaml`, import.meta.url);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, rendered);
  expect(rendered).toBe(readFileSync(golden, "utf8"));
});

test("gives no flag that the operations page does not name", async () => {
  const rendered = await render("everything");
  const page = readFileSync(`${root}/docs/operations.md`, "utf8");
  const flags = [...rendered.matchAll(/^ +- (--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
  expect(flags.length).toBeGreaterThan(20);
  expect(flags.filter((flag) => !page.includes(`\`${flag}`))).toEqual([]);
});

test.each([
  ["default", "controller"],
  ["default", "authz-server"],
  ["everything", "controller"],
  ["everything", "authz-server"],
])("with %s values gives the %s only what it takes", async (name, component) => {
  const args = argsOf(await render(name), component);
  // All problems are told at once, so the one made here is the only one.
  const command = run(process.execPath, [`${root}/cli/bin/gatehouse.js`, ...args, "--admin-port=none"]);
  await expect(command).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^[^\n]*--admin-port: [^\n]*\n$/),
  });
});

test("names both sides of the policy stream alike in flags, and in what cert-manager is asked for and makes", async () => {
  const rendered = await render("everything");
  const sides = [
    ["gatehouse-controller-server", "--xds-server-name=gatehouse-controller.gatehouse-system.svc", "server auth"],
    ["gatehouse-authz-server-client", "--xds-client-name=gatehouse-authz-server.gatehouse-system.svc", "client auth"],
  ] as const;
  for (const [secret, flag, usage] of sides) {
    const name = flag.split("=")[1] ?? "";
    for (const component of ["controller", "authz-server"]) expect(argsOf(rendered, component)).toContain(flag);
    const { spec } = documentOf(rendered, "Certificate", secret);
    expect(spec).toMatchObject({ secretName: secret, dnsNames: [name], usages: [usage] });
    const made = new X509Certificate(readFileSync(`${root}/test/support/cert-manager/${secret}/tls.crt`));
    expect([made.subjectAltName, made.keyUsage]).toEqual([`DNS:${name}`, [KEY_USAGES[usage]]]);
  }
});

test("has every value that the installation page names, and takes its example", async () => {
  const page = readFileSync(`${root}/docs/install.md`, "utf8");
  const values: unknown = parse(readFileSync(`${chart}/values.yaml`, "utf8"));
  const table = page.slice(page.indexOf("| value | default |"), page.indexOf("### Certificates"));
  const names = [...table.matchAll(/^\| (`.*?`) \| /gm)].flatMap(([, cell = ""]) => namesIn(cell));
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => valueAt(values, name) === undefined)).toEqual([]);
  const example = /^```yaml\n(# values.yaml\n.*?)^```/ms.exec(page)?.[1] ?? "";
  const rendered = await render("default", ["--values", "-"], example);
  expect(argsOf(rendered, "authz-server")).toContain(
    "--listen=9101=foo/istio=ingressgateway;gateways=foo/httpbin-gateway",
  );
});

/** `a.b`, `.c` is a.b and a.c. */
function namesIn(cell: string): readonly string[] {
  const [first = "", ...rest] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  return [first, ...rest.map((name) => (name.startsWith(".") ? first.replace(/\.[^.]*$/, name) : name))];
}

function valueAt(values: unknown, name: string): unknown {
  return name
    .split(".")
    .reduce<unknown>(
      (at, key) => (typeof at === "object" && at !== null ? new Map(Object.entries(at)).get(key) : undefined),
      values,
    );
}

const KEY_USAGES = { "server auth": "1.3.6.1.5.5.7.3.1", "client auth": "1.3.6.1.5.5.7.3.2" };

/** @param input what helm reads where a file is called `-` */
function render(name: string, more: readonly string[] = [], input = ""): Promise<string> {
  return helm(["template", "gatehouse", chart, ...valuesOf(name), ...more], input);
}

function argsOf(rendered: string, component: string): readonly string[] {
  const { spec } = documentOf(rendered, "Deployment", `gatehouse-${component}`);
  return spec.template?.spec.containers[0]?.args ?? [];
}

interface RenderedObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template?: { readonly spec: { readonly containers: readonly RenderedContainer[] } } };
}

interface RenderedContainer {
  readonly args: readonly string[];
}

function documentOf(rendered: string, kind: string, name: string): RenderedObject {
  const objects: readonly (RenderedObject | null)[] = parseAllDocuments(rendered).map((document) => document.toJS());
  const found = objects.find((one) => one?.kind === kind && one.metadata.name === name);
  if (found == null) throw new Error(`no ${kind} ${name}`);
  return found;
}

async function helm(args: readonly string[], input = ""): Promise<string> {
  const running = run(`${tools}/helm`, args);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

function valuesOf(name: string): readonly string[] {
  const file = fileURLToPath(new URL(`testdata/${name}.in.yaml`, import.meta.url));
  return ["--namespace", "gatehouse-system", "--kube-version", "1.36.0", "--values", file];
}
