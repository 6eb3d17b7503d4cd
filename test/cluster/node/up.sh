#!/usr/bin/env bash
# up.sh DIR [api]: starts a Kubernetes node whose files are in DIR, or with `api` only etcd and kube-apiserver. Prints the kubeconfig's path.
# What runs already stays; what an earlier, killed run left behind is cleaned away first.
# Several API servers can run side by side, on free ports or on API_PORT and ETCD_PORT; a machine has one node.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
dir=$(mkdir -p "$1" && cd "$1" && pwd)
mode=${2:-node}
export KUBECONFIG=$dir/admin.kubeconfig
node_ip=10.88.0.1
dns_ip=10.96.0.10
claim=/run/gatehouse-node

main() {
  if [ "$mode" = node ]; then
    [ "$(id -u)" = 0 ] || fail "a node needs root (API server alone: up.sh DIR api)"
    local other
    other=$(cat $claim 2>/dev/null || true)
    [ -z "$other" ] || [ "$other" = "$dir" ] || ! [ -f "$other/node" ] || fail "the node of $other runs on this machine; end it first: $node_scripts/down.sh $other"
  fi
  if [ -f "$dir/up" ] && is_running kube-apiserver && kubectl get --raw /readyz >/dev/null 2>&1; then
    echo "$KUBECONFIG"
    return
  fi
  "$node_scripts/down.sh" "$dir"
  rm -rf "${dir:?}"/{etcd,certs,kubelet,containerd,cni,cni-state,pods,*.log,*.run}
  if [ "$mode" = node ]; then touch "$dir/node"; echo "$dir" >$claim; fi
  start_api_server
  [ "$mode" = api ] || start_node
  touch "$dir/up"
  echo "$KUBECONFIG"
}

# free_port FIRST: the first port from there on that nothing listens on.
free_port() {
  local port=$1 used
  used=$(ss -Htnl | awk '{ sub(/.*:/, "", $4); print $4 }')
  while grep -qxF "$port" <<<"$used"; do port=$((port + 1)); done
  echo "$port"
}

start_api_server() {
  local api_port etcd_port etcd bind=127.0.0.1 address=127.0.0.1 token peer=http://127.0.0.1:0
  api_port=${API_PORT:-$(free_port 16443)}
  etcd_port=${ETCD_PORT:-$(free_port 12379)}
  etcd=http://127.0.0.1:$etcd_port
  if [ "$mode" = node ]; then # pods reach the API server and the node over the bridge
    ip link show cni0 >/dev/null 2>&1 || ip link add cni0 type bridge
    ip addr replace $node_ip/16 dev cni0
    ip link set cni0 up
    bind=0.0.0.0 address=$node_ip
  fi
  openssl genrsa -out "$dir/sa.key" 2048 2>/dev/null
  token=$(openssl rand -hex 16)
  (umask 077 && echo "$token,admin,admin,\"system:masters\"" >"$dir/tokens.csv")
  (umask 077 && cat >"$KUBECONFIG") <<Y
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: "$dir/certs/apiserver.crt", tls-server-name: kubernetes}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
Y
  # What is stored need only outlive processes, not the machine: no fsync.
  define etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync --log-level error --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
  define kube-apiserver kube-apiserver --etcd-servers "$etcd" --secure-port "$api_port" --bind-address $bind --advertise-address $address \
    --cert-dir "$dir/certs" --token-auth-file "$dir/tokens.csv" --authorization-mode Node,RBAC --allow-privileged --delete-collection-workers 8 \
    --service-cluster-ip-range 10.96.0.0/16 --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$dir/sa.key" --service-account-signing-key-file "$dir/sa.key" \
    --kubelet-preferred-address-types InternalIP --shutdown-delay-duration 0s
  launch etcd
  launch kube-apiserver
  wait_for kube-apiserver kube-apiserver kubectl get --raw /readyz
}

start_node() {
  define kube-controller-manager kube-controller-manager --kubeconfig "$KUBECONFIG" --service-account-private-key-file "$dir/sa.key" \
    --root-ca-file "$dir/certs/apiserver.crt" --leader-elect=false --secure-port 0
  define kube-scheduler kube-scheduler --kubeconfig "$KUBECONFIG" --leader-elect=false --secure-port 0
  launch kube-controller-manager
  launch kube-scheduler

  write_containerd_files
  define containerd containerd -c "$dir/containerd.toml"
  launch containerd
  wait_for containerd containerd ctr -a "$dir/containerd.sock" version
  mkdir -p "$dir/pause/bin" && cp "$(command -v busybox)" "$dir/pause/bin/"
  "$node_scripts/image.sh" "$dir" localhost/pause:1 "$dir/pause" /bin/busybox sleep 2147483647

  write_kubelet_files
  define kubelet kubelet --config "$dir/kubelet.yaml" --kubeconfig "$KUBECONFIG" --root-dir "$dir/kubelet" --hostname-override node1 --node-ip $node_ip
  define kube-proxy kube-proxy --config "$dir/kube-proxy.yaml"
  define coredns coredns -conf "$dir/Corefile"
  launch kubelet
  wait_for "the node" kubelet kubectl get node node1
  kubectl wait --for=condition=Ready node/node1 --timeout=60s >/dev/null
  launch kube-proxy
  launch coredns
  apply_dns
}

write_containerd_files() {
  mkdir -p "$dir/cni" "$dir/containerd"
  cat >"$dir/cni/10-bridge.conflist" <<Y
{"cniVersion":"1.0.0","name":"pods","plugins":[
  {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,
   "ipam":{"type":"host-local","dataDir":"$dir/cni-state","ranges":[[{"subnet":"10.88.0.0/16"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
  {"type":"portmap","capabilities":{"portMappings":true}}]}
Y
  # restrict_oom_score_adj: containers fail to start where CAP_SYS_RESOURCE is missing.
  cat >"$dir/containerd.toml" <<Y
version = 3
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/containerd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$dir/cni"
Y
}

write_kubelet_files() {
  # failCgroupV1: Kubernetes 1.36 refuses cgroup v1, where some machines still are. syncFrequency: changed Secrets reach pods sooner.
  cat >"$dir/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
address: $node_ip
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
cgroupsPerQOS: false
enforceNodeAllocatable: []
containerRuntimeEndpoint: unix://$dir/containerd.sock
podLogsDir: $dir/pods
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
serializeImagePulls: false
syncFrequency: 10s
evictionHard: {nodefs.available: "1%", imagefs.available: "1%"}
Y
  cat >"$dir/kube-proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $KUBECONFIG}
mode: iptables
clusterCIDR: 10.88.0.0/16
hostnameOverride: node1
conntrack: {maxPerCore: 0}
Y
  cat >"$dir/Corefile" <<Y
.:1053 {
  bind $node_ip
  kubernetes cluster.local {
    kubeconfig $KUBECONFIG
  }
}
Y
}

# Cluster DNS is a process of the node behind the usual Service address.
apply_dns() {
  kubectl apply -f - >/dev/null <<Y
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: $dns_ip
  ports: [{name: dns, protocol: UDP, port: 53, targetPort: 1053}, {name: dns-tcp, protocol: TCP, port: 53, targetPort: 1053}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
endpoints: [{addresses: [$node_ip]}]
ports: [{name: dns, protocol: UDP, port: 1053}, {name: dns-tcp, protocol: TCP, port: 1053}]
Y
}

main
