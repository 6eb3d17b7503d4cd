#!/usr/bin/env bash
# bake.sh NAME TARGET BUILD: makes the image NAME, in buildah's store, of a target of deploy/docker/Dockerfile: user, environment and entrypoint
# are those of the file. Its first stage, which needs a registry, is left out: the file tree is BUILD/rootfs, made by rootfs.sh as there.
set -euo pipefail
dockerfile=$(dirname "${BASH_SOURCE[0]}")/../../../deploy/docker/Dockerfile
grep -q '^COPY --from=build /rootfs/ /$' "$dockerfile" || { echo "bake.sh: $dockerfile no longer takes /rootfs/ from its stage build" >&2; exit 1; }
sed -n '/^FROM scratch AS /,$p' "$dockerfile" |
  buildah bud -q --build-context "build=$3" --target "$2" -t "$1" -f - "$3" >/dev/null
