# Sourced by up.sh and down.sh: where the private Slurm lives, and which processes are its own.
# shellcheck shell=bash disable=SC2034

export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath -m "${EMODISTILL_SLURM_DIR:-/tmp/emodistill-slurm}")
marker=$dir/.emodistill-slurm # up.sh made this folder; without it nothing in there is touched
daemons=(munged mariadbd slurmdbd slurmctld slurmd) # in the order in which they need one another

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

# pid_of DAEMON: prints its pid, or fails when it does not run.
pid_of() {
  local pid
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] && is_ours "$pid" "$1" && echo "$pid"
}

# One up.sh or down.sh at a time. The lock is on the folder itself, so that everything stays inside it;
# hence the check that the folder locked is still the one at that path, and not one just removed.
lock_folder() {
  until exec 9<"$dir" && flock 9 && [[ /proc/self/fd/9 -ef $dir ]]; do mkdir -p "$dir"; done
}
