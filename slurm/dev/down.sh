#!/usr/bin/env bash
# Stops the private Slurm of up.sh, its jobs included, and removes its folder. With --keep the folder stays, and
# up.sh goes on with its accounting and job numbers.
# Only processes that the folder's pid files name, and that hold its files open, are stopped.
set -euo pipefail
# shellcheck source=slurm/dev/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ $# == 0 || ($# == 1 && $1 == --keep) ]] || die 2 "usage: $0 [--keep]"
if [[ ! -e $dir ]]; then
  echo "Nothing to stop: $dir does not exist."
  exit
fi
[[ -O $dir && -e $marker ]] ||
  die 2 "$dir was not made by up.sh for this user, so nothing there is stopped or removed. Is EMODISTILL_SLURM_DIR right?"
lock_folder

# Each step of a job has a slurmstepd, which outlives slurmd; so the jobs end first.
our_steps() {
  local pid
  for pid in $(pgrep -x slurmstepd || true); do
    if is_ours "$pid" slurmstepd; then echo "$pid"; fi
  done
}
no_steps() { [[ -z $(our_steps) ]]; }

if pid_of slurmctld >/dev/null; then
  for partition in main urgent; do
    timeout 10 scancel --partition="$partition" 2>/dev/null || true # kill_tree below is for what this misses
  done
  # Slurm lets a job that ignores SIGTERM live for KillWait, 30 s.
  wait_for 40 no_steps || true
fi

for daemon in $(daemons | tac); do
  pid=$(pid_of "$daemon") || continue
  kill "$pid" || true
  gone() { ! is_ours "$pid" "${daemon%%.*}"; }
  wait_for 20 gone || kill -KILL "$pid" || true
done

# Jobs that nobody was left to cancel.
kill_tree() {
  local child
  kill -STOP "$1" 2>/dev/null || return 0 # so that it starts nothing more
  for child in $(pgrep -P "$1" || true); do kill_tree "$child"; done
  kill -KILL "$1" 2>/dev/null || true
}
for pid in $(our_steps); do kill_tree "$pid"; done
network_down

if [[ ${1:-} == --keep ]]; then
  echo "Slurm is down; $dir is kept."
else
  rm -rf "$dir"
  echo "Slurm is down and $dir is removed."
fi
