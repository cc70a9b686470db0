# Sourced by common.sh: the network of a Slurm with several nodes. A place is a network namespace:
#
#   this machine ── head (bridge; database, slurmdbd, slurmctld) ──┬── n1 (slurmd and its jobs)
#                                                                  └── n2 ...
#
# The namespaces hang on files in $dir/net; all that anybody else sees is one interface of this machine. The bridge has a
# namespace of its own so that a firewall for what this machine forwards (Docker's) does not part the nodes. A node
# reaches the others and this machine (by its host name), not the internet.
# shellcheck shell=bash disable=SC2154

digest=$(sha1sum <<<"$dir")
link=emo-${digest:0:8} # our end of the wire; a folder has its own

node_names() { seq -f 'n%.0f' "$1"; }
address_of() { awk -v name="$1" '$2 == name {print $1; exit}' "$dir/hosts"; }
is_namespace() { [[ $(stat -f -c %T "$dir/net/$1" 2>/dev/null) == nsfs ]]; }

# on PLACE COMMAND...: with one node every place is this machine. A node also has its own host name and its own view of
# /etc/hosts, where its name is its address: gloo, NCCL and MPI find their interface by that.
# (Not `ip netns exec`: it hides /sys/fs/cgroup, and slurmd refuses.)
on() {
  local place=$1
  shift
  if ! is_namespace "$place"; then
    "$@"
  elif [[ $place == head ]]; then
    nsenter --net="$dir/net/head" "$@"
  else
    # shellcheck disable=SC2016
    nsenter --net="$dir/net/$place" unshare --uts --mount --propagation slave \
      sh -c 'hostname "$1" && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"' sh "$place" "$dir/hosts" "$@"
  fi
}

network_possible() {
  local capabilities
  capabilities=$(awk '$1 == "CapEff:" {print $2}' /proc/self/status)
  ((0x$capabilities >> 12 & 1)) && # NET_ADMIN
    unshare --net --uts --mount mount --bind /etc/hosts /etc/hosts 2>/dev/null
}

# write_hosts NODES: names and addresses, in a subnet that this machine does not use yet. The search begins at a place of
# the folder's own, for a folder that is down has its subnet too.
write_hosts() {
  local routes first subnet i
  routes=$(ip -4 route show table all)
  first=$((16#${digest:0:2}))
  for ((i = 0; i < 256; i++)); do
    subnet=10.77.$(((first + i) % 256))
    [[ $routes == *"$subnet."* ]] || break
  done
  {
    echo "127.0.0.1 localhost"
    for ((i = 1; i <= $1; i++)); do echo "$subnet.$((10 + i)) n$i"; done
    echo "$subnet.2 head"
    echo "$subnet.1 machine $(hostname -s)"
  } >"$dir/hosts"
}

# network_up: makes it anew unless it is whole; a message of ip's is in log/network.log.
network_up() {
  local place
  for place in head $(nodes); do
    if ! is_namespace "$place" || [[ ! -e /sys/class/net/$link ]]; then
      network_down && make_network
      return
    fi
  done
} 2>"$dir/log/network.log"

make_network() {
  local place
  mkdir -p "$dir/net"
  for place in head $(nodes); do
    touch "$dir/net/$place" && unshare --net="$dir/net/$place" ip link set lo up || return
  done
  ip link add "$link" type veth peer name machine netns "$dir/net/head" &&
    ip address add "$(address_of machine)/24" dev "$link" && ip link set "$link" up &&
    on head ip link add bridge type bridge && on head ip address add "$(address_of head)/24" dev bridge &&
    on head ip link set machine master bridge up && on head ip link set bridge up || return
  for place in $(nodes); do
    on head ip link add "$place" master bridge type veth peer name eth0 netns "$dir/net/$place" &&
      on "$place" ip address add "$(address_of "$place")/24" dev eth0 && on "$place" ip link set eth0 up || return
    plug "$place" || return
  done
}

# plug NODE, unplug NODE: its wire to the bridge.
plug() { ! is_namespace "$1" || on head ip link set "$1" up; }
unplug() { on head ip link set "$1" down; }

# kill_node NODE: everything that runs there, whoever started it.
kill_node() {
  local until=$((SECONDS + 10)) pids
  is_namespace "$1" || return 0
  while pids=$(pids_on "$1") && [[ -n $pids ]]; do
    ((SECONDS < until)) || return 1
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
}

# A process that ends while we look makes find complain.
pids_on() {
  find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:?$(stat -L -c %i "$dir/net/$1")?" 2>/dev/null | cut -d/ -f3 || true
}

network_down() {
  local place
  for place in head $(nodes); do kill_node "$place"; done
  if [[ -e /sys/class/net/$link ]]; then ip link delete "$link"; fi
  for place in "$dir"/net/*; do
    if is_namespace "${place##*/}"; then umount "$place"; fi
  done
  rm -rf "$dir/net"
}
