#!/usr/bin/env bash
# check.sh: says in one line what keeps this machine from running the cluster tests; succeeds if nothing does.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v go >/dev/null || fail "Go 1.24 or later is missing, https://go.dev/dl"
[ "$(uname -s)" = Linux ] || fail "a Kubernetes node needs Linux"
[ "$(id -u)" = 0 ] || fail "a Kubernetes node needs root (sudo make test-cluster)"
command -v apt-get >/dev/null || command -v runc >/dev/null || fail "runc, CNI plugins, iptables, conntrack, ipset and buildah are missing, and there is no apt-get to install them"
