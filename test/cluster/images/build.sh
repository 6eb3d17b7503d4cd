#!/usr/bin/env bash
# build.sh DIR: makes the images of the cluster tests and imports them into the node in DIR:
#   localhost/gatehouse/controller:test and localhost/gatehouse/authz-server:test, from the packages as they are now
#   localhost/gatehouse/older-authz-server:test, the same but for READER_VERSION: it understands only resources of the first version
#   localhost/envoy:test, with the Envoy of the other tests
# Envoy's is left alone when the node has it.
set -euo pipefail
images=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
node_scripts=$images/../node
repository=$(cd "$images/../../.." && pwd)
tools=${GATEHOUSE_TOOLS:-$HOME/.cache/gatehouse-tools}
dir=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

containerd() { "$tools/ctr" -a "$dir/containerd.sock" -n k8s.io "$@" 2>/dev/null; }
has_image() { [ -n "$(containerd images ls -q "name==$1")" ]; }

# copy_program BINARY ROOTFS TARGET: with the shared libraries that it names.
copy_program() {
  local library
  install -D -m 0755 "$1" "$2$3"
  ldd "$1" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' |
    while read -r library; do mkdir -p "$2$(dirname "$library")" && cp -L "$library" "$2$library"; done
  mkdir -p "$2/etc" "$2/tmp"
  chmod 1777 "$2/tmp"
  echo 'nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin' >"$2/etc/passwd"
}

(cd "$repository" && PATH=$PWD/node_modules/.bin:$PATH tsc -b)
"$repository/deploy/docker/rootfs.sh" "$work/gatehouse" >"$dir/rootfs.log" 2>&1 || { cat "$dir/rootfs.log" >&2; exit 1; }
"$node_scripts/image.sh" "$dir" localhost/gatehouse/controller:test "$work/gatehouse" \
  /usr/local/bin/node --unhandled-rejections=strict --max-semi-space-size=4 /app/cli/bin/gatehouse.js
containerd images tag --force localhost/gatehouse/controller:test localhost/gatehouse/authz-server:test >/dev/null

version_file=$work/gatehouse/app/protos/dist/model/resource.js
sed -i 's/READER_VERSION = [0-9]*;/READER_VERSION = 1;/' "$version_file"
grep -q 'READER_VERSION = 1;' "$version_file"
"$node_scripts/image.sh" "$dir" localhost/gatehouse/older-authz-server:test "$work/gatehouse" \
  /usr/local/bin/node --unhandled-rejections=strict --max-semi-space-size=4 /app/cli/bin/gatehouse.js

if ! has_image localhost/envoy:test; then
  copy_program "$("$repository/test/support/install-envoy.sh")" "$work/envoy" /usr/local/bin/envoy
  "$node_scripts/image.sh" "$dir" localhost/envoy:test "$work/envoy" /usr/local/bin/envoy
fi
