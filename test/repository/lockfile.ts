/** package-lock.json (version 3), as far as the checks look at it. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Adds an entry for each optional dependency that has none, and sorts the entries as npm does. */
export function completeLockfile(packages: Lockfile["packages"]): {
  packages: Lockfile["packages"];
  added: readonly string[];
} {
  const added = missingOptional(packages).map((missing): [string, LockedPackage] => [
    `node_modules/${missing.name}`,
    platformPackage(missing),
  ]);
  const entries = [...Object.entries(packages), ...added].sort(([a], [b]) => a.localeCompare(b, "en"));
  return { packages: Object.fromEntries(entries), added: added.map(([path]) => path) };
}

/** An optional dependency without an entry of its own. */
export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/** Lists the optional dependencies that have no entry: `npm ci` refuses a file with any of them. */
export function missingOptional(packages: Lockfile["packages"]): readonly MissingPackage[] {
  return Object.values(packages).flatMap((parent) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => packages[`node_modules/${name}`] === undefined)
      .map(([name, version]) => ({ name, version, dev: parent.dev === true })),
  );
}

/** Reads os, cpu and libc from the name, as the authors of platform packages spell them: `...-linux-x64-musl`. Members in npm's order. */
function platformPackage({ name, version, dev }: MissingPackage): LockedPackage {
  const words = name.split("/").at(-1)?.split("-") ?? [];
  const os = words.find((word) => OS.has(word));
  const cpu = words.map((word) => CPU.get(word)).find((word) => word !== undefined);
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : words.includes("gnu") ? ["glibc"] : undefined;
  if (os === undefined || cpu === undefined) throw new Error(`${name}: can't tell os and cpu from the name`);
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev: true } : {}),
    ...(libc !== undefined && os === "linux" ? { libc } : {}),
    optional: true,
    os: [os],
  };
}

const OS: ReadonlySet<string> = new Set(["android", "darwin", "freebsd", "linux", "openharmony", "win32"]);

const CPU: ReadonlyMap<string, string> = new Map([
  ["x64", "x64"],
  ["arm64", "arm64"],
  ["aarch64", "arm64"],
  ["arm", "arm"],
  ["armv7", "arm"],
  ["ia32", "ia32"],
  ["ppc64", "ppc64"],
  ["riscv64", "riscv64"],
  ["s390x", "s390x"],
]);
