#!/usr/bin/env bash
# Builds a Kubernetes node's binaries from pinned Go modules into ${GATEHOUSE_TOOLS:-~/.cache/gatehouse-tools}, and as root installs
# what Debian has. Does nothing when all is there at the right versions.
# build.sh [api]: with `api` only what the API server alone needs (no root).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$node_scripts/versions.env"
mode=${1:-node}

# version_in MODULE FOLDER: as the go.mod of tools/FOLDER has it.
version_in() { sed -n "s|^require $1 \(v[^ ]*\).*|\1|p" "$node_scripts/tools/$2/go.mod"; }
kubernetes=$(version_in k8s.io/kubernetes kubernetes)
etcd=$(version_in go.etcd.io/etcd/server/v3 etcd)

# is_built BINARY MODULE VERSION: a Go binary says what it was made of.
is_built() { [ -x "$tools/$1" ] && go version -m "$tools/$1" | grep -qE "^\s(mod|dep)\s$2\s$3\s"; }

command -v go >/dev/null || fail "Go is missing: install Go 1.24 or later, https://go.dev/dl (it fetches the version that tools/*/go.mod name)"
mkdir -p "$tools"
# One build at a time: two at once would take twice as long, and write the same files.
exec 9>"$tools/.lock"
flock 9
export CGO_ENABLED=0

build_kubernetes() {
  local minor=${kubernetes#v1.} missing=() binary
  for binary in "$@"; do is_built "$binary" k8s.io/kubernetes "$kubernetes" || missing+=("k8s.io/kubernetes/cmd/$binary"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "building ${missing[*]##*/} $kubernetes"
  local version=k8s.io/component-base/version
  (cd "$node_scripts/tools/kubernetes" && go build -trimpath -o "$tools/" \
    -ldflags "-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}" "${missing[@]}")
}
build_etcd() {
  is_built etcd go.etcd.io/etcd/server/v3 "$etcd" && return
  say "building etcd $etcd"
  (cd "$node_scripts/tools/etcd" && go build -trimpath -ldflags '-s -w' -o "$tools/etcd" .)
}
# install MODULE VERSION TAGS PACKAGE...: binaries of modules that can be built as they are.
install() {
  local module=$1 version=$2 tags=$3 package missing=()
  shift 3
  for package in "$@"; do is_built "$(basename "$package")" "$module" "$version" || missing+=("$package@$version"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "building ${missing[*]}"
  GOBIN=$tools go install -tags "$tags" -ldflags '-s -w' "${missing[@]}"
}
install_packages() {
  local package missing=()
  for package in runc containernetworking-plugins iptables conntrack ipset iproute2 buildah busybox-static openssl; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: ${missing[*]} (apt-get install, or run as root)"
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build_kubernetes kube-apiserver kubectl
build_etcd
install helm.sh/helm/v3 "$HELM_VERSION" "" helm.sh/helm/v3/cmd/helm
[ "$mode" = node ] || exit 0
build_kubernetes kube-controller-manager kube-scheduler kube-proxy kubelet
containerd=github.com/containerd/containerd/v2
install $containerd "$CONTAINERD_VERSION" no_btrfs,no_devmapper,no_zfs $containerd/cmd/{containerd,containerd-shim-runc-v2,ctr}
install github.com/coredns/coredns "$COREDNS_VERSION" "" github.com/coredns/coredns
install_packages
