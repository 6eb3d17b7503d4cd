#!/usr/bin/env bash
# rootfs.sh OUT: writes the file tree of both images into the new directory OUT. Needs no container tool: the Dockerfile runs it, and so does
# whoever builds images without one. Takes the packages as they were compiled (`tsc -b`) and the Node that runs it ($NODE_BIN for another).
# In the tree: node and the libraries that it names, the packages with their production dependencies and the list of them
# (/app/sbom.cdx.json), users, certificates. No shell, no npm.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: rootfs.sh OUT" >&2; exit 2; }
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages=(protos controller authz-server cli)

mkdir "$1"
out=$(cd "$1" && pwd)
manifests=$(mktemp -d)
trap 'rm -rf "$manifests"' EXIT

# The npm package `node` puts a launcher in front of nothing: execPath is the program itself.
node=${NODE_BIN:-$(node --print process.execPath)}
"$node" --eval '
  const [major, minor, patch] = process.versions.node.split(".").map(Number);
  const isSafe = major > 24 || (major === 24 && (minor > 14 || (minor === 14 && patch >= 1)));
  if (!isSafe) { console.error(`rootfs.sh: needs Node 24.14.1 or newer, which has known holes closed; this is ${process.version}`); process.exit(1); }'

# Production dependencies, from the lock file alone: no install script runs.
cd "$repository"
cp package.json package-lock.json .npmrc "$manifests/"
for package in "${packages[@]}" test; do
  mkdir "$manifests/$package" && cp "$package/package.json" "$manifests/$package/"
done
(cd "$manifests" && npm ci --omit=dev --ignore-scripts --prefer-offline --loglevel=error --include-workspace-root=false \
  "${packages[@]/#/--workspace=}")

# What they are, as CycloneDX. npm lists what the manifests ask for, so those must ask for no more than was installed.
"$node" --eval '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [folder, ...packages] = process.argv.slice(1);
  for (const path of ["", ...packages.map((name) => `${name}/`)]) {
    const { devDependencies, ...manifest } = JSON.parse(readFileSync(`${folder}/${path}package.json`, "utf8"));
    writeFileSync(`${folder}/${path}package.json`, JSON.stringify({ ...manifest, ...(path === "" && { workspaces: packages }) }));
  }' "$manifests" "${packages[@]}"
(cd "$manifests" && npm sbom --sbom-format=cyclonedx --sbom-type=application --loglevel=error) >"$manifests/sbom.cdx.json"

mkdir -p "$out"/{app,etc/ssl/certs,tmp,usr/local/bin,usr/share/doc}
cp -a "$manifests/node_modules" "$out/app/"
rm -rf "$out/app/node_modules/.bin" "$out/app/node_modules/.package-lock.json" "$out/app/node_modules/@gatehouse/test"
for package in "${packages[@]}"; do
  [ -f "$package/dist/tsconfig.tsbuildinfo" ] || { echo "rootfs.sh: $package is not compiled; run 'tsc -b' first" >&2; exit 1; }
  mkdir "$out/app/$package"
  cp -a "$package/package.json" "$package/dist" "$out/app/$package/"
  [ ! -d "$manifests/$package/node_modules" ] || cp -a "$manifests/$package/node_modules" "$out/app/$package/"
done
cp -a cli/bin "$out/app/cli/"
cp -a protos/{envoy,gatehouse,google,grpc} "$out/app/protos/"
cp LICENSE "$manifests/sbom.cdx.json" "$out/app/"
# Types, maps and build records are for who compiles against a package.
find "$out/app" \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete

# Node, and the shared libraries that it names, at the paths that its loader looks for.
install -m 0755 "$node" "$out/usr/local/bin/node"
ldd "$node" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
  mkdir -p "$out$(dirname "$library")"
  cp -L "$library" "$out$library"
done
# DNS by the C library, which node's dns.lookup uses.
for library in $(ldconfig -p | awk '/libnss_(dns|files)\.so\.2|libresolv\.so\.2/ { print $NF }'); do
  mkdir -p "$out$(dirname "$library")" && cp -L "$library" "$out$library"
done
for package in libc6 libgcc-s1 libstdc++6; do
  [ ! -f "/usr/share/doc/$package/copyright" ] || install -D -m 0644 "/usr/share/doc/$package/copyright" "$out/usr/share/doc/$package/copyright"
done

cat > "$out/etc/passwd" <<'PASSWD'
root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin
PASSWD
cat > "$out/etc/group" <<'GROUP'
root:x:0:
nonroot:x:65532:
GROUP
echo 'hosts: files dns' > "$out/etc/nsswitch.conf"
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
chmod -R u=rwX,go=rX "$out"
chmod 1777 "$out/tmp"
