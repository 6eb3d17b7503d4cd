#!/usr/bin/env bash
# down.sh DIR: ends what up.sh started for DIR, pods included, and takes back what it changed on the machine. Safe to repeat, also after a kill -9.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -d "$1" ] || exit 0
dir=$(cd "$1" && pwd)
rm -f "$dir/up"

for name in coredns kube-proxy kubelet kube-scheduler kube-controller-manager kube-apiserver etcd; do
  case $name in kube-apiserver) halt $name KILL ;; *) halt $name ;; esac
done
[ -f "$dir/node" ] || exit 0

# Containers outlive containerd: a shim and its children are ended together, so that it can't start another one.
for shim in $(ps -eo pid=,args= | awk -v socket="$dir/containerd.sock" '/containerd-shim-runc-v2/ && index($0, socket) { print $1 }'); do
  # shellcheck disable=SC2046
  kill -KILL "$shim" $(ps -o pid= --ppid "$shim") 2>/dev/null
done
halt containerd
# Mounts of ended containers vanish one after the other.
for _ in $(seq 50); do
  mounts=$(awk -v folder="$dir/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r)
  [ -n "$mounts" ] || break
  echo "$mounts" | xargs -r -n1 umount -l 2>/dev/null
  sleep 0.1
done
command -v kube-proxy >/dev/null && kube-proxy --cleanup >/dev/null 2>&1
ip link delete cni0 2>/dev/null
find /var/log/containers -xtype l -delete 2>/dev/null
for group in /sys/fs/cgroup/*/k8s.io /sys/fs/cgroup/k8s.io; do
  [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
done
rm -f "$dir/node"
[ "$(cat /run/gatehouse-node 2>/dev/null)" = "$dir" ] && rm -f /run/gatehouse-node
exit 0
