#!/usr/bin/env bash
# keeper.sh KUBE: the parent of a cluster's nodes, in a new folder whose path is its first line of output.
# It reads its standard input to the end: when whoever started it closes that, or dies in whatever way, everything goes.
# keeper.sh --clean FOLDER: the same for what a keeper left that was killed itself.
# Orders come as lines by FOLDER/orders: `certificates`, `start N`, `relay`.
set -u
here=$(cd "$(dirname "$0")" && pwd)

# The control groups of a node: one in each hierarchy of version 1, or the one of version 2.
control_groups() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/$1"
  else
    printf "/sys/fs/cgroup/%s/$1\n" cpu cpuacct cpuset memory devices freezer blkio pids systemd
    [ ! -d /sys/fs/cgroup/unified ] || echo "/sys/fs/cgroup/unified/$1" # version 2 beside version 1: runc uses it, too
  fi
}

make_groups() {
  local group
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || echo '+cpu +cpuset +memory +pids +io' >/sys/fs/cgroup/cgroup.subtree_control
  for group in $(control_groups "$1"); do mkdir -p "$group"; done
  group=/sys/fs/cgroup/cpuset
  [ ! -e $group/cpuset.cpus ] || for file in cpuset.cpus cpuset.mems; do cat $group/$file >"$group/$1/$file"; done
}

remove_groups() {
  local group tries
  for group in $(control_groups "$1"); do
    for tries in $(seq 100); do
      [ -d "$group" ] || break
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
  done
}

# start N: a node in namespaces of its own. The kernel ends it with us (pdeathsig), and all that is in it with its first process.
start() {
  local home=$folder/n$1 group=$(basename "$folder")-n$1 node init tries
  mkdir -p "$home/log"
  remove_groups "$group"
  make_groups "$group"
  setpriv --pdeathsig KILL unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc \
    bash "$here/node.sh" "$1" "$folder" "$kube" </dev/null >>"$home/log/node.log" 2>&1 3<&- 4>&- &
  node=$!
  disown # its end is no news
  for tries in $(seq 200); do
    read -r init _ < <(cat "/proc/$node/task/$node/children" 2>/dev/null; echo)
    [ -z "$init" ] || break
    sleep 0.05
  done
  echo "$init" >"$home/init"
  [ "$1" = 1 ] || connect "$1" "$init"
}

# connect N INIT: a cable from node 1's bridge to this node.
connect() {
  local first
  first=$(cat "$folder/n1/init")
  nsenter -t "$first" -n ip link delete "to-n$1" 2>/dev/null # of the node that was cut off its power
  nsenter -t "$first" -n ip link add "to-n$1" type veth peer name lan0 netns "$2"
  nsenter -t "$first" -n ip link set "to-n$1" master lan0 up
}

# relay: the API server on a port of the host's loopback, which goes to FOLDER/address.
relay() {
  setpriv --pdeathsig KILL "$kube" relay 127.0.0.1:0 "$folder/api.sock" </dev/null >"$folder/address" 2>>"$folder/relay.log" 3<&- 4>&- &
  echo $! >"$folder/relay"
  disown
}

clean() {
  local home pid
  [ ! -e "$folder/relay" ] || end "$(cat "$folder/relay")"
  for home in "$folder"/n*/; do
    [ ! -e "$home/init" ] || end "$(cat "$home/init")"
  done
  for home in "$folder"/n*/; do
    [ ! -d "$home" ] || remove_groups "$(basename "$folder")-n$(basename "$home" | tr -d n)"
  done
  rm -rf "$folder"
}

# end PID: kills a process of this cluster, which names its folder, and waits until it is gone.
end() {
  local tries
  for tries in $(seq 200); do
    grep -qsF "$folder" "/proc/$1/cmdline" || return
    kill -9 "$1" 2>/dev/null
    sleep 0.05
  done
}

if [ "$1" = --clean ]; then
  folder=$2
  clean
  exit
fi

kube=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/loadctl-kube-XXXXXX")
trap clean EXIT
exec 4>"$folder/lock"
flock 4 # held as long as we live: without a holder the folder is a leftover
mkdir "$folder/images"
ln -s "$kube" "$folder/kube"
mkfifo "$folder/orders"
exec 3<>"$folder/orders"
(
  cat
  echo end >&3
) <&0 >/dev/null 4>&- &
echo "$folder"
while read -r order argument <&3; do
  case $order in
    certificates) bash "$here/certificates.sh" "$folder/certificates" >"$folder/certificates.log" 2>&1 4>&- ;;
    start) start "$argument" ;;
    relay) relay ;;
    end) break ;;
  esac
done
