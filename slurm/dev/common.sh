# Sourced by up.sh, down.sh and node.sh: where the private Slurm lives, which processes are its own, how one is started.
# shellcheck shell=bash disable=SC2034

export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath -m "${EMODISTILL_SLURM_DIR:-/tmp/emodistill-slurm}")
marker=$dir/.emodistill-slurm # up.sh made this folder; without it nothing in there is touched
cluster=emodistill

# A shell inside another Slurm (a job, a login node with defaults set) must not steer this one.
# shellcheck disable=SC2046
unset $(compgen -v | grep -E '^(SLURM|SLURMD|SBATCH|SALLOC|SRUN|SINFO|SQUEUE|SACCT|SCANCEL)_') || true
export SLURM_CONF=$dir/slurm.conf

# die CODE TEXT: one paragraph on stderr.
die() {
  echo "$2" >&2
  exit "$1"
}

# wait_for SECONDS COMMAND...: poll until it succeeds.
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

# is_ours PID NAME: a recorded pid may by now belong to a stranger (reboot, reuse, another Slurm).
# Ours has the daemon's name and holds a file of this folder open.
is_ours() {
  [[ $(cat "/proc/$1/comm" 2>/dev/null) == "$2" ]] &&
    [[ -n $(find "/proc/$1/fd" -lname "$dir/*" -print -quit 2>/dev/null) ]]
}

# The nodes this Slurm was configured with; none before that.
nodes() { sed -nE 's/^NodeName=([^ ]+) .*/\1/p' "$dir/slurm.conf" 2>/dev/null || true; }

# In the order in which they need one another. Each node has a slurmd, with the node's name behind the dot.
daemons() {
  printf '%s\n' munged mariadbd slurmdbd slurmctld
  nodes | sed 's/^/slurmd./'
}

# pid_of DAEMON: prints its pid, or fails when it does not run.
pid_of() {
  local pid
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] && is_ours "$pid" "${1%%.*}" && echo "$pid"
}

# fail DAEMON REASON: what that daemon logged last, what the last command that asked it was told, and the reason.
fail() {
  tail -q -n 15 "$dir/log/$1.log" "$dir/log/client.log" >&2 2>/dev/null || true
  die 1 "Slurm did not come up: $2. Above is the end of $dir/log/$1.log. The same command again keeps the state and tries again; $here/down.sh first, and it starts from nothing."
}

ask() { timeout 10 "$@" 2>"$dir/log/client.log"; }

# start DAEMON COMMAND...: descriptor 9 is our lock, which a daemon must not inherit.
start() {
  local daemon=$1
  shift
  pid_of "$daemon" >/dev/null && return
  rm -f "$dir/run/$daemon.pid"
  "$@" </dev/null >>"$dir/log/$daemon.log" 2>&1 9<&- || fail "$daemon" "$daemon refused to start"
}

start_node() {
  plug "$1"
  start "slurmd.$1" on "$1" slurmd
}

# One up.sh or down.sh at a time. The lock is on the folder itself, so that everything stays inside it;
# hence the check that the folder locked is still the one at that path, and not one just removed.
lock_folder() {
  until exec 9<"$dir" && flock 9 && [[ /proc/self/fd/9 -ef $dir ]]; do mkdir -p "$dir"; done
}

# shellcheck source=slurm/dev/network.sh
source "$here/network.sh"
