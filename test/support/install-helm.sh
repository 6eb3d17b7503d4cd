#!/usr/bin/env bash
# Prints the folder of the helm and helm-unittest that the chart's tests use (messages go to stderr). Builds them with Go once, at the
# versions of test/cluster/node/versions.env, into ${GATEHOUSE_TOOLS:-~/.cache/gatehouse-tools}.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/../cluster/node/versions.env"
tools=${GATEHOUSE_TOOLS:-$HOME/.cache/gatehouse-tools}
helm=helm.sh/helm/v3
unittest=github.com/helm-unittest/helm-unittest

say() { echo "install-helm: $*" >&2; }
# is_built BINARY MODULE VERSION: a Go binary says what it was made of; one that is built where its module lies says it by its folder.
is_built() { [ -x "$tools/$1" ] && { go version -m "$tools/$1" | grep -qE "^\s(mod|dep)\s$2\s$3\s" || [ "$(cat "$tools/$1.version" 2>/dev/null)" = "$3" ]; }; }

if ! command -v go >/dev/null; then
  say "Go is missing: install Go 1.24 or later, https://go.dev/dl, for helm and helm-unittest"
  exit 1
fi
mkdir -p "$tools"
exec 9>"$tools/.lock"
flock 9
export CGO_ENABLED=0
if ! is_built helm $helm "$HELM_VERSION"; then
  say "building helm $HELM_VERSION (about a minute)"
  GOBIN=$tools go install -ldflags '-s -w' "$helm/cmd/helm@$HELM_VERSION" >&2
fi
if ! is_built helm-unittest $unittest "$HELM_UNITTEST_VERSION"; then
  say "building helm-unittest $HELM_UNITTEST_VERSION (about a minute)"
  # Its go.mod replaces a module, which only counts where the build begins in its own folder.
  folder=$(cd / && go mod download -json "$unittest@$HELM_UNITTEST_VERSION" | sed -n 's/^\s*"Dir": "\(.*\)",*$/\1/p')
  (cd "$folder" && go build -mod=readonly -trimpath -ldflags '-s -w' -o "$tools/helm-unittest" ./cmd/helm-unittest) >&2
  echo "$HELM_UNITTEST_VERSION" >"$tools/helm-unittest.version"
fi
echo "$tools"
