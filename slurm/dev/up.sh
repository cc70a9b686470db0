#!/usr/bin/env bash
# Brings up a private, real Slurm with accounting on this machine, for development and tests.
# Usage: up.sh [NODES]. One node (the default) is this machine itself; several (up to 9) are network namespaces, network.sh.
#
# munge, MariaDB, slurmdbd, slurmctld and slurmd come from Debian's packages and run as root without systemd.
# Everything they own lies in ${EMODISTILL_SLURM_DIR:-/tmp/emodistill-slurm}: configuration, key, database, state,
# logs, sockets, pid files. Ports are private, and only the key in the folder opens them. A Slurm, munge or database that the
# machine already has is never joined, changed or stopped.
#
# Run it again at any time: healthy, it says so within a second; half dead, it starts what is missing.
# Exit codes: 0 up; 1 did not come up (log tail and reason on stderr); 2 this machine cannot host it.
set -euo pipefail
# shellcheck source=slurm/dev/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=slurm/dev/configure.sh
source "$here/configure.sh"

start_us=${EPOCHREALTIME/./}
wanted=${1:-1}
[[ $# -le 1 && $wanted =~ ^[1-9]$ ]] || die 2 "usage: $0 [NODES], with NODES from 1 to 9"

say_up() {
  local ms=$(((${EPOCHREALTIME/./} - start_us) / 1000))
  printf 'Slurm %s in %d.%d s. Use it with: source %s/env.sh\n' "$1" $((ms / 1000)) $((ms % 1000 / 100)) "$dir"
}

# May it run here, and in this folder?

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  die 2 "A private Slurm cannot be started here: it needs root (slurmd starts jobs as their owners) and apt-get (its parts come from Debian's packages). Run $here/up.sh as root on a Debian or Ubuntu machine or container."
fi
if ((wanted > 1)) && ! network_possible; then
  die 2 "A Slurm with $wanted nodes cannot be started here: each node is a network namespace, and the kernel does not let this process make one (it needs the capabilities SYS_ADMIN and NET_ADMIN). In Docker: --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined. One node needs none of this: $here/up.sh."
fi
# Slurm's files know no quoting, and a unix socket's path ends at 107 characters.
[[ $dir =~ ^/[A-Za-z0-9._/-]{1,60}$ && $dir != / ]] ||
  die 2 "EMODISTILL_SLURM_DIR=$dir cannot be used: the path may have at most 60 characters out of letters, digits and . _ / -. Choose another."
mkdir -p "$dir"
# down.sh removes the folder, and /tmp is writable by all: only an empty folder of our own becomes one.
if [[ ! -O $dir || (! -e $marker && -n $(ls -A "$dir")) ]]; then
  die 2 "$dir exists and was not made by this script for this user, so it is left alone. Set EMODISTILL_SLURM_DIR to a folder that is empty or does not exist."
fi
lock_folder
touch "$marker"
chmod 755 "$dir" # munged refuses a socket in a folder that others cannot enter
mkdir -p "$dir"/{run,log,state,spool}
configured=$(nodes | wc -l)
((configured == 0 || configured == wanted)) ||
  die 1 "The Slurm in $dir has $configured node(s), and $wanted was asked for. Run 'make slurm-down' ($here/down.sh) first, which ends it and its jobs; or set EMODISTILL_SLURM_DIR to another folder, and have both."

# Already up?

node_states() { ask sinfo --noheader --format=%T; } # one line for each state that occurs
# A state ends in * while its nodes do not answer, so equality with these is enough.
nodes_work() {
  local states
  states=$(node_states) && [[ -n $states ]] && ! grep -qvxE 'idle|mixed|allocated|completing' <<<"$states"
}
# ControlPort is 0 until slurmctld has an open connection to slurmdbd, so this checks both and the link.
accounting_works() {
  local port
  port=$(ask sacctmgr --noheader --parsable2 list cluster "$cluster" format=controlport) &&
    [[ $port =~ ^[1-9] ]] && ask sacct --noheader >/dev/null
}
all_run() {
  local daemon
  for daemon in $(daemons); do pid_of "$daemon" >/dev/null || return 1; done
}

if all_run && nodes_work && accounting_works; then
  say_up "was already up: checked"
  exit
fi

# Packages: only those whose program is missing, so that nothing installed is upgraded or restarted

# The -core packages hold MariaDB's programs without its system-wide server.
declare -A package_of=([munged]=munge [mariadbd]=mariadb-server-core [my_print_defaults]=mariadb-client-core
  [slurmdbd]=slurmdbd [slurmctld]=slurmctld [slurmd]=slurmd [sacctmgr]=slurm-client)
if ((wanted > 1)); then package_of[ip]=iproute2; fi
missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done

if ((${#missing[@]})); then
  echo "Installing ${missing[*]} (under a minute; log: $dir/log/apt.log)" >&2
  # The packages' own services would start system-wide daemons on the standard ports. Where the machine has no
  # policy on that, forbid it for the length of the installation.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  apt() { DEBIAN_FRONTEND=noninteractive flock /var/lib/apt apt-get --yes --quiet -o DPkg::Lock::Timeout=300 "$@" >>"$dir/log/apt.log" 2>&1 9<&-; }
  # --no-remove: a machine with another database or Slurm in the way keeps it, and the installation fails.
  apt update || true # a dead third-party source need not matter: the installation will tell
  apt install --no-install-recommends --no-upgrade --no-remove "${missing[@]}" ||
    fail apt "apt-get could not install ${missing[*]}"
  if [[ -n $(trap -p EXIT) ]]; then
    rm -f "$policy"
    trap - EXIT INT TERM
  fi
fi

[[ -e $dir/slurm.conf ]] || configure "$wanted"
if ((wanted > 1)); then network_up || fail network "the network between the nodes could not be made"; fi

# Start what does not run, each after what it needs

start munged munged --key-file="$dir/munge.key" --socket="$dir/munge.socket" --seed-file="$dir/munge.seed" \
  --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log"
wait_for 10 pid_of munged >/dev/null || fail munged "munged does not run"

start_mariadbd() { # it writes a pid file, but does not leave the foreground by itself
  rm -f "$dir/db.socket"
  # shellcheck disable=SC2016
  on head sh -c 'setsid mariadbd --defaults-file="$1" &' sh "$dir/my.cnf"
}
start mariadbd start_mariadbd
mariadbd_listens() { [[ -S $dir/db.socket ]] && pid_of mariadbd >/dev/null; }
wait_for 30 mariadbd_listens || fail mariadbd "the accounting database does not run"

start slurmdbd on head slurmdbd
slurmdbd_answers() { [[ -n $(ask sacctmgr --noheader list cluster format=cluster) ]]; }
slurmdbd_knows_us() { slurmdbd_answers || ask sacctmgr --immediate add cluster "$cluster" >/dev/null; }
wait_for 30 slurmdbd_knows_us || fail slurmdbd "slurmdbd does not answer sacctmgr"

start slurmctld on head slurmctld
slurmctld_answers() { [[ $(ask scontrol ping) == *"is UP"* ]]; }
wait_for 30 slurmctld_answers || fail slurmctld "slurmctld does not answer scontrol ping"

for node in $(nodes); do start_node "$node"; done
# A node that an earlier failure drained stays so until told.
[[ $(node_states) != *drain* ]] || scontrol update nodename="$(nodes | paste -sd,)" state=resume
wait_for 30 nodes_work || fail "slurmd.$node" "sinfo shows its nodes as '$(node_states | paste -sd,)' instead of idle"
wait_for 30 accounting_works || fail slurmctld "sacct does not answer, or slurmctld has not registered with slurmdbd"
all_run || fail slurmctld "a daemon ended right after its start"
say_up "is up"
