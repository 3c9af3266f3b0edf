#!/usr/bin/env bash
# node.sh N FOLDER KUBE: the first process of node N, in namespaces of its own. Node 1 also runs etcd and the control plane.
# Every mount, link and route made here ends with the namespaces, so nothing of the host changes.
set -eu
n=$1 folder=$2 kube=$3 home=$2/n$1 certificates=$2/certificates address=198.18.0.$1
mkdir -p "$home"/{varlib,varlog,sysctl,log,cni,pids,off}
rm -f "$home"/{pids,off}/*

hostname "n$n"
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns /run/containerd
mount --bind "$home/varlib" /var/lib
mount --bind "$home/varlog" /var/log
# The kubelet writes settings of the whole host: it finds them as it wants them, in files of its own.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  name=${setting%=*} file=$home/sysctl/${setting//[\/=]/.}
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done
mount --make-rshared /

# attempt TENTHS COMMAND…: until it succeeds; the node ends, and all that is in it, where it does not
attempt() {
  local left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    [ $((left--)) -gt 0 ] || { echo "node n$n gave up waiting for: $*"; exit 1; }
    sleep 0.1
  done
}

ip link set lo up
if [ "$n" = 1 ]; then
  ip link add lan0 address 02:00:00:00:00:01 type bridge # one that takes the least address of its cables changes it with each
else
  attempt 100 ip link show lan0 # the keeper lays the cable
fi
ip address add "$address/24" dev lan0
ip link set lan0 up
echo 1 >/proc/sys/net/ipv4/ip_forward
ip route add 198.19.0.0/24 dev lan0 # addresses of Services need some route before kube-proxy can rewrite them
for other in 1 2 3; do
  [ "$other" = "$n" ] || ip route add "198.18.1$other.0/24" via "198.18.0.$other" dev lan0
done

cat >"$home/cni/pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{
  "type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "198.18.1$n.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}
}]}
END
cat >"$home/containerd.toml" <<END
version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$home/cni"
END
cat >"$home/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$(basename "$folder")-n$n
failCgroupV1: false
failSwapOn: false
address: 0.0.0.0
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $certificates/authority.crt}}
authorization: {mode: AlwaysAllow}
tlsCertFile: $certificates/kubelet-n$n.crt
tlsPrivateKeyFile: $certificates/kubelet-n$n.key
resolvConf: ""
clusterDomain: cluster.local
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 10
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
shutdownGracePeriod: 0s
END
cat >"$home/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $certificates/proxy.kubeconfig}
clusterCIDR: 198.18.0.0/16
hostnameOverride: n$n
conntrack: {maxPerCore: 0, min: 0}
END

# keep NAME COMMAND…: runs it, and again when it ends, unless there is a file off/NAME; pids/NAME is the one that runs
keep() {
  local name=$1
  shift
  while :; do
    until [ ! -e "$home/off/$name" ]; do sleep 0.05; done
    "$@" >>"$home/log/$name.log" 2>&1 &
    echo $! >"$home/pids/$name"
    wait $! || true
    rm -f "$home/pids/$name"
    sleep 0.2
  done &
}

control_plane() {
  local admin=(--kubeconfig="$certificates/admin.kubeconfig" --authentication-kubeconfig="$certificates/admin.kubeconfig"
    --authorization-kubeconfig="$certificates/admin.kubeconfig" --leader-elect=false --bind-address=127.0.0.1)
  keep etcd "$kube" etcd --name e --data-dir "$home/varlib/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster e=http://127.0.0.1:2380 \
    --unsafe-no-fsync --log-level warn
  keep apiserver "$kube" kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 --advertise-address=198.18.0.1 \
    --tls-cert-file="$certificates/apiserver.crt" --tls-private-key-file="$certificates/apiserver.key" --client-ca-file="$certificates/authority.crt" \
    --token-auth-file="$certificates/tokens.csv" --authorization-mode=Node,RBAC --enable-admission-plugins=OwnerReferencesPermissionEnforcement \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$certificates/accounts.pub" \
    --service-account-signing-key-file="$certificates/accounts.key" --service-cluster-ip-range=198.19.0.0/24 --allow-privileged=true \
    --kubelet-client-certificate="$certificates/apiserver-kubelet.crt" --kubelet-client-key="$certificates/apiserver-kubelet.key" \
    --kubelet-certificate-authority="$certificates/authority.crt" --kubelet-preferred-address-types=InternalIP --profiling=false
  rm -f "$folder/api.sock"
  keep relay "$kube" relay "$folder/api.sock" 127.0.0.1:6443
  attempt 600 api_server_answers
  keep manager "$kube" kube-controller-manager "${admin[@]}" --service-account-private-key-file="$certificates/accounts.key" \
    --root-ca-file="$certificates/authority.crt" --node-monitor-period=1s --node-monitor-grace-period=10s
  keep scheduler "$kube" kube-scheduler "${admin[@]}"
}

api_server_answers() {
  "$kube" kubectl --kubeconfig "$certificates/n$n.kubeconfig" --cache-dir="$home/cache" --request-timeout=2s get --raw /readyz
}

keep containerd containerd --config "$home/containerd.toml"
[ "$n" != 1 ] || control_plane
attempt 300 ctr version
for image in "$folder"/images/*.tar; do ctr -n k8s.io images import "$image"; done
attempt 600 api_server_answers
keep kubelet "$kube" kubelet --config="$home/kubelet.yaml" --kubeconfig="$certificates/n$n.kubeconfig" --hostname-override="n$n" --node-ip="$address"
keep proxy "$kube" kube-proxy --config="$home/proxy.yaml"
while :; do
  sleep 3600 &
  wait $!
done
