#!/bin/sh
# Finds h2spec, the conformance suite of HTTP/2, and prints its path on stdout (messages go to stderr):
#   1. $H2SPEC_BIN   2. .h2spec/h2spec of this repository, built once with Go from the versions in go.mod and go.sum.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
binary=$root/.h2spec/h2spec

say() { echo "install-h2spec: $*" >&2; }

if [ -n "${H2SPEC_BIN:-}" ]; then
  echo "$H2SPEC_BIN"
  exit 0
fi
if [ -x "$binary" ] && [ "$binary" -nt "$here/go.sum" ]; then
  echo "$binary"
  exit 0
fi
PATH=$PATH:/usr/local/go/bin
if ! command -v go >/dev/null; then
  say "no h2spec found, and no Go to build it; install Go from https://go.dev/dl, or set H2SPEC_BIN"
  exit 1
fi
mkdir -p "$root/.h2spec"
if ! (cd "$here" && GOFLAGS=-buildvcs=false go build -mod=readonly -o "$binary.new" github.com/summerwind/h2spec/cmd/h2spec >&2); then
  say "h2spec could not be built; check the network, or set H2SPEC_BIN"
  exit 1
fi
mv "$binary.new" "$binary"
echo "$binary"
