#!/usr/bin/env bash
# build.sh DIR: makes the images of the cluster tests and imports them into the node in DIR:
#   localhost/gatehouse/controller:test and localhost/gatehouse/authz-server:test, from the packages as they are now
#   localhost/gatehouse/older-authz-server:test, the same but for READER_VERSION: it understands only resources of the first version
#   localhost/gatehouse/older-controller:test, which has no fields of later reader versions to write
#   localhost/envoy:test, with the Envoy of the other tests
# Envoy's is left alone when the node has it.
set -euo pipefail
images=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
node_scripts=$images/../node
repository=$(cd "$images/../../.." && pwd)
tools=${GATEHOUSE_TOOLS:-$HOME/.cache/gatehouse-tools}
dir=$(cd "$1" && pwd)
work=$(mktemp -d)
rootfs=$work/build/rootfs
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

# gatehouse_image NAME TARGET: of the tree in $rootfs as it is now.
gatehouse_image() {
  local name=localhost/gatehouse/$1:test archive=$work/image.tar
  "$images/bake.sh" "$name" "$2" "$work/build"
  # The docker form is not compressed, which costs seconds for nothing here.
  buildah push -q "$name" "docker-archive:$archive:$name"
  buildah rmi -f "$name" >/dev/null
  "$tools/ctr" -a "$dir/containerd.sock" -n k8s.io images import "$archive" >/dev/null 2>"$dir/import.log" || { cat "$dir/import.log" >&2; exit 1; }
  rm "$archive"
}

(cd "$repository" && PATH=$PWD/node_modules/.bin:$PATH tsc -b)
mkdir "$work/build"
"$repository/deploy/docker/rootfs.sh" "$rootfs" >"$dir/rootfs.log" 2>&1 || { cat "$dir/rootfs.log" >&2; exit 1; }
gatehouse_image controller controller
containerd images tag --force localhost/gatehouse/controller:test localhost/gatehouse/authz-server:test >/dev/null

version_file=$rootfs/app/protos/dist/model/resource.js
sed -i 's/READER_VERSION = [0-9]*;/READER_VERSION = 1;/' "$version_file"
grep -q 'READER_VERSION = 1;' "$version_file"
gatehouse_image older-authz-server authz-server

# A field that needs a later reader has that in its comment, on the line before.
sed -i '/[Rr]eader version [2-9]/,/;/d' "$rootfs"/app/protos/gatehouse/policy/v1/*.proto
if grep -rE 'require_exp|refused_hosts' "$rootfs/app/protos/gatehouse"; then exit 1; fi
gatehouse_image older-controller controller

if ! has_image localhost/envoy:test; then
  copy_program "$("$repository/test/support/install-envoy.sh")" "$work/envoy" /usr/local/bin/envoy
  "$node_scripts/image.sh" "$dir" localhost/envoy:test "$work/envoy" /usr/local/bin/envoy
fi
