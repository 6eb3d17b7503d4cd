import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
/** What a package brings in machine code is loaded, not started. */
const ADDON = /\.(node|bare)$/;
const LINK_TO_PACKAGE = /^node_modules\/@gatehouse\/[a-z-]+$/;
const PACKAGES = ["authz-server", "cli", "controller", "protos"];

let build: string;
let rootfs: string;

beforeAll(async () => {
  build = await mkdtemp(join(tmpdir(), "gatehouse-images-"));
  rootfs = join(build, "rootfs");
  await runCommand(join(repository, "node_modules/.bin/tsc"), ["-b", repository]);
  await runCommand(join(repository, "deploy/docker/rootfs.sh"), [rootfs]);
});
afterAll(() => rm(build, { recursive: true, force: true }));

describe("the file tree of the images", () => {
  it("has one program, and outside of /app nothing but what that program needs: no shell, no npm", async () => {
    const files = (await filesIn(rootfs)).filter((path) => !path.startsWith("app/"));
    const needed =
      /^(usr\/local\/bin\/node|(usr\/)?lib\d*\/(.*\/)?[^/]+\.so(\.\d+)*|etc\/(passwd|group|nsswitch\.conf|ssl\/certs\/ca-certificates\.crt)|usr\/share\/doc\/[^/]+\/copyright)$/;
    expect(files).toContain("usr/local/bin/node");
    expect(files.filter((path) => !needed.test(path))).toEqual([]);
  });

  it("has in /app no program of another kind, and no npm", async () => {
    const files = await filesIn(join(rootfs, "app"));
    expect(files.filter((path) => /(^|\/)node_modules\/((npm|corepack|yarn|pnpm)\/|\.bin\/)/.test(path))).toEqual([]);
    const others = files.filter((path) => !ADDON.test(path) && !LINK_TO_PACKAGE.test(path));
    const kinds = await Promise.all(
      others.map(async (path) => [path, await isElf(join(rootfs, "app", path))] as const),
    );
    expect(kinds.filter(([, isProgram]) => isProgram)).toEqual([]);
  });

  it("has a list of packages that names those of node_modules, each and no other", async () => {
    const { components }: { components: readonly { readonly purl: string }[] } = JSON.parse(
      await readFile(join(rootfs, "app/sbom.cdx.json"), "utf8"),
    );
    const listed = components.map(({ purl }) => decodeURIComponent(purl.replace("pkg:npm/", "")));
    const folders = ["node_modules", ...PACKAGES.map((name) => `${name}/node_modules`)];
    const installed = await Promise.all([
      ...PACKAGES.map((name) => packageIn(join(rootfs, "app", name))),
      ...folders.map((folder) => packagesIn(join(rootfs, "app", folder))),
    ]);
    expect(installed.flat().length).toBeGreaterThan(100);
    expect([...new Set(listed)].toSorted()).toEqual([...new Set(installed.flat())].toSorted());
  });
});

describe.each([
  ["controller", ["controller", "--source=kubernetes"]],
  ["authz-server", ["authz-server"]],
])("the image of the target %s", (target, command) => {
  const name = `localhost/gatehouse-images-test/${target}:test`;
  let config: ImageConfig;

  beforeAll(async () => {
    await runCommand(join(repository, "test/cluster/images/bake.sh"), [name, target, build]);
    config = JSON.parse(await runCommand("buildah", ["inspect", "--type=image", name])).OCIv1.config;
  });
  afterAll(() => runCommand("buildah", ["rmi", "-f", name]));

  it("starts the command as a user without rights", () => {
    expect(config).toMatchObject({ User: "65532:65532", Cmd: command, WorkingDir: "/app" });
    expect(config.Env).toContain("NODE_ENV=production");
  });

  it("has an entrypoint that runs in the tree, as that user", async () => {
    const { version } = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
    const enter = [`--userspec=${config.User}`, rootfs, ...config.Entrypoint];
    expect((await runCommand("chroot", [...enter, "--version"])).trim()).toBe(version);
    expect(await runCommand("chroot", [...enter, ...config.Cmd.slice(0, 1), "--help"])).toContain("--admin-port");
  });
});

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
}

/** Paths of the files and links below a folder. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) =>
    entry.isDirectory() ? [] : [join(entry.parentPath, entry.name).slice(folder.length + 1)],
  );
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(4) });
    return buffer.toString("latin1") === "\u007fELF";
  } finally {
    await file.close();
  }
}

/** The packages in a folder `node_modules`, `name@version` each, with those inside of them; links are packages of ours. */
async function packagesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = entries
    .filter((entry) => entry.isDirectory())
    .map(async ({ name }) => {
      const path = join(folder, name);
      if (name.startsWith("@")) return packagesIn(path);
      return [await packageIn(path), ...(await packagesIn(join(path, "node_modules")))];
    });
  return (await Promise.all(found)).flat();
}

async function packageIn(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return `${name}@${version}`;
}
