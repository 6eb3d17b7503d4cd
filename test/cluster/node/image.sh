#!/usr/bin/env bash
# image.sh DIR NAME ROOTFS [ENTRYPOINT...]: makes an image of the folder ROOTFS and imports it into the containerd of the node in DIR.
# There is no registry: pods that use it have `imagePullPolicy: Never`. IMAGE_USER=UID[:GID] says whom it runs as.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
dir=$(cd "$1" && pwd)
name=$2 rootfs=$3
shift 3
archive=$(mktemp -u "$dir/image.XXXXXX")
container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null 2>&1 || true; buildah rmi -f "$name" >/dev/null 2>&1 || true; rm -f "$archive"' EXIT
buildah copy -q "$container" "$rootfs" / >/dev/null
if [ $# -gt 0 ]; then
  entrypoint=$(printf '"%s",' "$@")
  buildah config --entrypoint "[${entrypoint%,}]" "$container"
fi
[ -z "${IMAGE_USER:-}" ] || buildah config --user "$IMAGE_USER" "$container"
buildah commit -q "$container" "$name" >/dev/null
# The docker form is not compressed, which costs seconds for nothing here.
buildah push -q "$name" "docker-archive:$archive:$name"
ctr -a "$dir/containerd.sock" -n k8s.io images import "$archive" >/dev/null 2>"$dir/import.log" || { cat "$dir/import.log" >&2; exit 1; }
